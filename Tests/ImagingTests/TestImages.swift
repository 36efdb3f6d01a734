import Imaging

/// Images that tests make up.
enum TestImages {
    static func noise(width: Int, height: Int, seed: UInt64) -> Image {
        var random = SplitMix(state: seed)
        let pixels = (0..<width * height * 3).map { _ in UInt8.random(in: 0...255, using: &random) }
        return Image(width: width, height: height, channels: 3, pixels: pixels)
    }

    /// Colours that run smoothly and an edge across, different in each corner and at each side.
    static func landscape(width: Int, height: Int) -> Image {
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                let isLeft = 3 * x + y < width
                pixels += [UInt8(x * 255 / width), UInt8(y * 255 / height), isLeft ? 220 : 40] as [UInt8]
            }
        }
        return Image(width: width, height: height, channels: 3, pixels: pixels)
    }

    /// The JPEG with EXIF data that tell the orientation.
    static func withOrientation(_ orientation: Int, _ jpeg: [UInt8]) -> [UInt8] {
        let tiff: [UInt8] = [
            0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, UInt8(orientation), 0, 0, 0, 0, 0, 0, 0,
        ]
        let content = exifPrefix + tiff
        return jpeg.prefix(2) + [0xFF, 0xE1, 0, UInt8(content.count + 2)] + content + jpeg.dropFirst(2)
    }
}
