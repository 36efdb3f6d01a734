import Randomness
import Testing

@Suite struct NormalTests {
    private func filled(_ count: Int) -> [Float] {
        var random = CounterRandom(seed: 3, purpose: .erasing)
        var values = [Float](repeating: .nan, count: count)
        values.withUnsafeMutableBufferPointer { random.fillNormal($0) }
        return values
    }

    @Test func momentsAndTailsAreThoseOfTheDistribution() {
        let values = filled(100_001)
        #expect(values.allSatisfy { abs($0) < 5.8 })
        func mean(of function: (Double) -> Double) -> Double {
            values.reduce(0) { $0 + function(Double($1)) } / Double(values.count)
        }
        #expect(abs(mean { $0 }) < 0.01)
        #expect(abs(mean { $0 * $0 } - 1) < 0.02)
        #expect(abs(mean { $0 * $0 * $0 }) < 0.03)
        #expect(abs(mean { $0 * $0 * $0 * $0 } - 3) < 0.1)
        #expect(abs(mean { abs($0) < 1 ? 1 : 0 } - 0.6827) < 0.005)
        #expect(abs(mean { $0 > 2 ? 1 : 0 } - 0.02275) < 0.002)
    }

    @Test func neighborsAreNotRelated() {
        let values = filled(100_000)
        let products = zip(values, values.dropFirst()).reduce(0) { $0 + Double($1.0 * $1.1) }
        #expect(abs(products / Double(values.count)) < 0.01)
    }

    @Test func anOddNumberIsFilled() {
        #expect(filled(1)[0].isFinite && filled(0).isEmpty)
        #expect(filled(7).prefix(6) == filled(6)[...])
    }
}
