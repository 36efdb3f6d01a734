import Testing

import Imaging
import Randomness

/// A random crop of a file is that of the decoded image, although less of it is decoded.
@Suite struct DecodedCropTests {
    private func random(_ index: Int) -> CounterRandom { CounterRandom(seed: 3, purpose: .augmentation, index: index) }

    @Test(arguments: 1...8) func cropsOfFilesAreThoseOfTheirImages(_ orientation: Int) throws {
        for (number, size) in [(400, 300), (97, 512), (512, 97), (33, 31), (5, 40)].enumerated() {
            let stored = TestImages.noise(width: size.0, height: size.1, seed: 8).encodedJPEG(quality: 85)
            let bytes = TestImages.withOrientation(orientation, stored)
            let image = try Image(decoding: bytes)
            for interpolation in [Interpolation.bicubic, .bilinear, .nearest] {
                for side in [7, 32, 224] {
                    var crop = RandomResizedCrop(size: .init(height: side + 1, width: side))
                    crop.interpolation = interpolation
                    crop.scale = 0.01...1
                    var (one, other) = (random(number * 100 + side), random(number * 100 + side))
                    let part = try crop.apply(decoding: bytes, options: .init(), using: &one)
                    #expect(part == crop.apply(to: image, using: &other), "\(size), \(interpolation), \(side)")
                    // What comes after a crop draws on.
                    #expect(one.integer(below: 1 << 30) == other.integer(below: 1 << 30))
                }
            }
        }
    }

    @Test func filesOfEveryKindAreCropped() throws {
        let crop = RandomResizedCrop(size: .init(height: 9, width: 9))
        for (number, name) in try fixtureImages().enumerated() {
            let bytes = try fixtureBytes(name)
            guard decodingError(bytes) == nil else { continue }
            for channels in 1...4 {
                let image = try Image(decoding: bytes, options: .channels(channels))
                var (one, other) = (random(number), random(number))
                let part = try crop.apply(decoding: bytes, options: .channels(channels), using: &one)
                #expect(part == crop.apply(to: image, using: &other), "\(name), \(channels)")
            }
        }
    }

    @Test func damageOutsideOfTheCropIsFound() {
        let crop = RandomResizedCrop(size: .init(height: 9, width: 9))
        let bytes = TestImages.noise(width: 64, height: 640, seed: 4).encodedJPEG(quality: 90)
        for index in 0..<20 {
            var source = random(index)
            #expect(throws: ImageError.truncated(format: "JPEG")) {
                try crop.apply(decoding: Array(bytes.dropLast(40)), options: .init(), using: &source)
            }
        }
    }

    @Test func theSizeIsKnownBeforehand() throws {
        let bytes = TestImages.noise(width: 12, height: 7, seed: 4).encodedJPEG(quality: 90)
        #expect(Image.byteCount(ofJPEG: bytes, options: .init()) == 12 * 7 * 3)
        #expect(Image.byteCount(ofJPEG: bytes, options: .channels(1)) == 12 * 7)
        #expect(Image.byteCount(ofJPEG: Array(bytes.prefix(30)), options: .init()) == nil)
        #expect(Image.byteCount(ofJPEG: try fixtureBytes("png-6-16.png"), options: .init()) == nil)
    }
}
