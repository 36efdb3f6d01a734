import CImageCodecs
import Imaging

extension Target {
    /// PNG as it is, and with checksums that are right, which hardly any change of a byte leaves so.
    static let png = Target(name: "png") { bytes in
        let content = bytes.prefix(8) == ImageFormat.pngSignature[...] ? bytes : ImageFormat.pngSignature + bytes
        readPNG(content)
        readPNG(withChecksums(content))
    }

    private static func readPNG(_ bytes: [UInt8]) {
        for channels in [3, 1, 4] {
            let strict = attempt { try Image(decoding: bytes, options: .small(channels: channels)) }
            let lenient = attempt { try Image(decoding: bytes, options: .small(channels: channels, isLenient: true)) }
            guard let strict else { continue }
            check(strict == lenient, "an undamaged image is the same where damage is tolerated")
            check(
                (try? Image(decoding: strict.encodedPNG(), options: .small(channels: channels))) == strict,
                "an image is the same after encoding it")
        }
    }

    private static func withChecksums(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        var offset = 8
        while offset + 12 <= bytes.count {
            let length = bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= bytes.count - offset - 12 else { break }
            let end = offset + 8 + length
            let content = Array(bytes[offset + 4..<end])
            let checksum = unsafe codecs_crc32(content, content.count)
            for place in 0..<4 { bytes[end + place] = UInt8(truncatingIfNeeded: checksum >> (24 - 8 * place)) }
            offset = end + 4
        }
        return bytes
    }
}

extension DecodingOptions {
    /// For images small enough that thousands can be read in a second.
    static func small(channels: Int, isLenient: Bool = false) -> DecodingOptions {
        var options = DecodingOptions()
        options.channels = channels
        options.maxPixels = 1 << 18
        if isLenient { options.onDamage = { _, _ in } }
        return options
    }
}
