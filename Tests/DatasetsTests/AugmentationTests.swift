import Datasets
import Imaging
import Randomness
import Support
import Testing

@Suite struct AugmentationTests {
    private let image = Image(
        width: 40, height: 30, channels: 3, pixels: (0..<3600).map { UInt8(truncatingIfNeeded: $0 &* 37) })

    private func random(_ index: Int) -> CounterRandom { CounterRandom(seed: 0, purpose: .augmentation, index: index) }

    @Test func noneIsResizeAndCentreCrop() {
        var first = random(0)
        let none = Augmentation.none(size: .init(height: 12, width: 12))
        let expected = Preprocessing(resize: .shortestEdge(12), crop: .init(height: 12, width: 12)).prepare(image)
        #expect(none.apply(to: image, using: &first) == expected)
        var other = random(1)
        #expect(none.apply(to: image, using: &other) == expected)
        for size in [
            Size(height: 5, width: 20), .init(height: 20, width: 5), .init(height: 90, width: 90),
        ] {
            let result = Augmentation.none(size: size).apply(to: image, using: &first)
            #expect(result.width == size.width && result.height == size.height)
            // Nothing but the image: a border of zeros would show in the corners of a white one.
            let white = Image(width: 40, height: 30, channels: 1, pixels: [UInt8](repeating: 255, count: 1200))
            #expect(Augmentation.none(size: size).apply(to: white, using: &first).pixels.allSatisfy { $0 == 255 })
        }
    }

    @Test func squashedIsAnExactResize() {
        var random = random(0)
        let size = Size(height: 14, width: 12)
        let expected = Preprocessing(resize: .exact(width: 12, height: 14)).prepare(image)
        #expect(Augmentation.squashed(size: size).apply(to: image, using: &random) == expected)
    }

    @Test func aboutHalfOfTheCropsAreMirrored() {
        let crop = RandomResizedCrop(size: .init(height: 8, width: 8))
        let augmentation = Augmentation.crop(crop)
        var mirrored = 0
        for index in 0..<400 {
            var (one, other) = (random(index), random(index))
            let plain = crop.apply(to: image, using: &one)
            let result = augmentation.apply(to: image, using: &other)
            #expect(result == plain || result == plain.flippedHorizontally())
            if result != plain { mirrored += 1 }
        }
        #expect(abs(mirrored - 200) < 50)
    }

    @Test func turnedImagesShowEachSideUpEquallyOften() {
        let augmentation = Augmentation([]).rotatingByQuarters()
        let square = Image(width: 2, height: 2, channels: 1, pixels: [1, 2, 3, 4])
        var counts: [[UInt8]: Int] = [:]
        for index in 0..<400 {
            var source = random(index)
            counts[augmentation.apply(to: square, using: &source).pixels, default: 0] += 1
        }
        #expect(Set(counts.keys) == [[1, 2, 3, 4], [3, 1, 4, 2], [4, 3, 2, 1], [2, 4, 1, 3]])
        #expect(counts.values.allSatisfy { abs($0 - 100) < 40 })
    }

    @Test func stepsFollowEachOther() {
        var source = random(0)
        let augmentation = Augmentation.none(size: .init(height: 4, width: 4))
            .followed { image, _ in image.cropped(x: 0, y: 0, width: 2, height: 2) }
            .flipping(probability: 1)
        let plain = Augmentation.none(size: .init(height: 4, width: 4)).apply(to: image, using: &source)
        #expect(
            augmentation.apply(to: image, using: &source)
                == plain.cropped(x: 0, y: 0, width: 2, height: 2).flippedHorizontally())
    }

    @Test func operationsOfRandAugmentFollowTheCrop() {
        let operations = RandAugment(Preprocessing(resize: .none))
        let crop = RandomResizedCrop(size: .init(height: 8, width: 8))
        for index in 0..<20 {
            var (one, other) = (random(index), random(index))
            let plain = Augmentation.crop(crop).apply(to: image, using: &one)
            let expected = operations.apply(to: plain, using: &one)
            #expect(Augmentation.crop(crop).augmenting(operations).apply(to: image, using: &other) == expected)
        }
    }
}
