import Imaging
import Randomness
import Testing

@Suite struct RandomResizedCropTests {
    private let crop = RandomResizedCrop(size: .init(height: 12, width: 16))

    @Test func windowsLieInTheImageWithinScaleAndRatio() {
        var areas: [Double] = []
        var flat = 0
        for index in 0..<4000 {
            var random = CounterRandom(seed: 1, purpose: .augmentation, index: index)
            let part = crop.window(width: 500, height: 400, using: &random)
            #expect(part.x >= 0 && part.y >= 0 && part.x + part.width <= 500 && part.y + part.height <= 400)
            let aspect = Double(part.width) / Double(part.height)
            #expect(aspect > 0.745 && aspect < 1.345)
            areas.append(Double(part.width * part.height) / 200_000)
            if aspect > 1 { flat += 1 }
        }
        #expect(areas.allSatisfy { $0 > 0.198 && $0 <= 1 })
        // Large parts that do not fit are drawn again, so the mean lies below the 0.6 of the uniform distribution.
        let mean = areas.reduce(0, +) / 4000
        #expect(mean > 0.5 && mean < 0.6)
        #expect(areas.contains { $0 < 0.22 } && areas.contains { $0 > 0.95 })
        #expect(flat > 1800)
    }

    @Test func longImagesFallBackToTheMiddle() {
        var wide = CounterRandom(seed: 1, purpose: .augmentation)
        // An area of a fifth never fits into 1000 × 10 with a ratio of at most 4/3.
        #expect(crop.window(width: 1000, height: 10, using: &wide) == (493, 0, 13, 10))
        var tall = CounterRandom(seed: 1, purpose: .augmentation)
        #expect(crop.window(width: 10, height: 1000, using: &tall) == (0, 493, 10, 13))
        var thin = CounterRandom(seed: 1, purpose: .augmentation)
        let part = crop.window(width: 1, height: 1000, using: &thin)
        #expect(part.width == 1 && part.height == 1)
    }

    @Test func applyCropsThenResizes() {
        let pixels = (0..<40 * 30 * 3).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        let image = Image(width: 40, height: 30, channels: 3, pixels: pixels)
        var random = CounterRandom(seed: 2, purpose: .augmentation)
        var copy = random
        let part = crop.window(width: 40, height: 30, using: &copy)
        let expected = image.cropped(x: part.x, y: part.y, width: part.width, height: part.height)
            .resized(width: 16, height: 12, interpolation: .bicubic)
        #expect(crop.apply(to: image, using: &random) == expected)
    }
}
