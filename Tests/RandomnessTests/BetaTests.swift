import Randomness
import Testing

@Suite struct BetaTests {
    private func sample(_ a: Double, _ b: Double, count: Int = 40_000) -> [Double] {
        var random = CounterRandom(seed: 7, purpose: .mixing)
        return (0..<count).map { _ in random.beta(a, b) }
    }

    @Test(arguments: [(0.8, 0.8), (1, 1), (0.2, 0.2), (3, 1.5), (0.05, 0.05)])
    func meanAndVarianceAreThoseOfTheDistribution(a: Double, b: Double) {
        let values = sample(a, b)
        #expect(values.allSatisfy { $0 >= 0 && $0 <= 1 })
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        #expect(abs(mean - a / (a + b)) < 0.01)
        #expect(abs(variance - a * b / ((a + b) * (a + b) * (a + b + 1))) < 0.005)
    }

    @Test func quantilesAreThoseOfTheDistribution() {
        // scipy.stats.beta.ppf([0.05, 0.25, 0.75, 0.9], 0.8, 0.8)
        let values = sample(0.8, 0.8).sorted()
        for (part, expected) in [(0.05, 0.0300), (0.25, 0.2193), (0.75, 0.7807), (0.9, 0.9289)] {
            #expect(abs(values[Int(part * Double(values.count))] - expected) < 0.015, "\(part)")
        }
    }
}
