import Randomness
import Testing

import Imaging

@Suite struct RandomErasingTests {
    private func random(_ index: Int) -> CounterRandom { CounterRandom(seed: 5, purpose: .erasing, index: index) }

    @Test func aQuarterOfTheImagesLosesARectangleWithinTheBounds() {
        var erased = 0
        for index in 0..<2000 {
            var random = random(index)
            guard let window = RandomErasing().window(width: 100, height: 80, using: &random) else { continue }
            erased += 1
            #expect(window.x >= 0 && window.y >= 0)
            #expect(window.x + window.width <= 100 && window.y + window.height <= 80)
            // Rounded to whole pixels.
            let area = Double(window.width * window.height) / 8000
            #expect(area > 0.018 && area < 0.345)
            let aspect = Double(window.height) / Double(window.width)
            #expect(aspect > 0.28 && aspect < 3.6)
        }
        #expect((430...570).contains(erased), "\(erased)")
    }

    @Test func theRectangleBecomesNoiseInEveryChannel() throws {
        var (first, second) = (random(1), random(1))
        let erasing = RandomErasing(probability: 1)
        let window = try #require(erasing.window(width: 40, height: 30, using: &first))
        var pixels = [Float](repeating: 9, count: 3 * 30 * 40)
        var span = pixels.mutableSpan
        erasing.erase(&span, channels: 3, width: 40, height: 30, using: &second)
        var noise: [Float] = []
        for channel in 0..<3 {
            for row in 0..<30 {
                for column in 0..<40 {
                    let value = pixels[(channel * 30 + row) * 40 + column]
                    let isInside =
                        (window.x..<window.x + window.width).contains(column)
                        && (window.y..<window.y + window.height).contains(row)
                    if isInside { noise.append(value) } else { #expect(value == 9) }
                }
            }
        }
        let mean = noise.reduce(0, +) / Float(noise.count)
        let variance = noise.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(noise.count)
        #expect(abs(mean) < 0.2 && abs(variance - 1) < 0.25, "\(mean) \(variance)")
    }

    @Test func aTinyImageStaysWhole() {
        var random = random(0)
        var pixels: [Float] = [1]
        var span = pixels.mutableSpan
        RandomErasing(probability: 1).erase(&span, channels: 1, width: 1, height: 1, using: &random)
        #expect(pixels == [1])
    }
}
