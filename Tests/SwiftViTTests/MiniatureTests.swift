import Foundation
import Imaging
import Randomness
import SwiftViT
import Testing

/// Which images are copies of each other by their pixels.
struct MiniatureTests {
    /// A smooth image with some noise; its `contrast` is about that of its grey levels.
    private func image(seed: UInt64, contrast: Double = 50, width: Int = 96, height: Int = 64) -> Image {
        var random = CounterRandom(seed: seed, purpose: .synthetic)
        let waves = (0..<6).map { _ in
            (
                Double.random(in: -4...4, using: &random), Double.random(in: -4...4, using: &random),
                Double.random(in: 0...6, using: &random)
            )
        }
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                let (u, v) = (Double(x) / Double(width), Double(y) / Double(height))
                let sum = waves.reduce(0.0) { $0 + cos(6.3 * ($1.0 * u + $1.1 * v) + $1.2) } / 1.7
                let level = 128 + contrast * sum + Double.random(in: -1...1, using: &random)
                pixels.append(UInt8(min(max(level, 0), 255)))
            }
        }
        return Image(width: width, height: height, channels: 1, pixels: pixels)
    }

    private func miniature(_ image: Image) -> Miniature {
        Miniature(image.resized(width: 64, height: 64, interpolation: .bilinear))
    }

    private func mirrored(_ image: Image) -> Image {
        let pixels = (0..<image.height).flatMap { row in
            image.pixels[row * image.width..<(row + 1) * image.width].reversed()
        }
        return Image(width: image.width, height: image.height, channels: 1, pixels: pixels)
    }

    @Test(arguments: [60.0, 10, 3]) func copiesAreFound(contrast: Double) throws {
        let original = image(seed: 1, contrast: contrast)
        var grey = DecodingOptions()
        grey.channels = 1
        let copies = [
            try Image(decoding: original.encodedJPEG(quality: 50), options: grey),
            original.resized(width: 150, height: 100, interpolation: .bicubic),
            original.resized(width: 60, height: 40, interpolation: .bicubic), mirrored(original),
        ]
        for copy in copies {
            #expect(miniature(original).isCopy(of: miniature(copy)) && miniature(copy).isCopy(of: miniature(original)))
        }
        #expect(miniature(copies[0]).isCopy(of: miniature(copies[3])))
    }

    @Test func othersAreNot() {
        for contrast in [60.0, 10, 3, 0.5] {
            let miniatures = (0..<40).map { miniature(image(seed: 100 + $0, contrast: contrast)) }
            for (index, one) in miniatures.enumerated() {
                #expect(!miniatures[..<index].contains { $0.isCopy(of: one) })
            }
        }
        // The same with other brightness, and with other contrast.
        let original = image(seed: 1, contrast: 20)
        func changed(_ change: (Int) -> Int) -> Miniature {
            miniature(
                Image(
                    width: original.width, height: original.height, channels: 1,
                    pixels: original.pixels.map { UInt8(change(Int($0))) }))
        }
        #expect(!changed { $0 + 20 }.isCopy(of: miniature(original)))
        #expect(!changed { 128 + ($0 - 128) / 2 }.isCopy(of: miniature(original)))
    }

    /// Images of one colour are copies where the colour is the same.
    @Test func imagesOfOneColour() {
        func plain(_ level: UInt8) -> Miniature {
            Miniature(Image(width: 64, height: 64, channels: 1, pixels: [UInt8](repeating: level, count: 4096)))
        }
        #expect(plain(200).isCopy(of: plain(200)) && !plain(200).isCopy(of: plain(203)))
        #expect(!plain(128).isCopy(of: miniature(image(seed: 4, contrast: 0.2))))
    }
}
