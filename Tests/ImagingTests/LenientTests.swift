import Imaging
import Support
import Testing

/// Damaged images, which are refused unless someone wants to hear what is wrong with them.
struct LenientTests {
    private let original = Image(
        width: 40, height: 32, channels: 3,
        pixels: (0..<40 * 32 * 3).map { UInt8(truncatingIfNeeded: $0 * 37 ^ $0 >> 3) })

    private final class Damage: Sendable {
        let found = Locked<[String]>([])
    }

    /// The image of damaged bytes, and what is wrong with it, once.
    private func read(
        _ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> (image: Image, damage: String) {
        #expect(throws: ImageError.self, sourceLocation: sourceLocation) { try Image(decoding: bytes) }
        let damage = Damage()
        var options = DecodingOptions()
        options.onDamage = { name, error in damage.found.withLock { $0.append("\(name)\(error)") } }
        let image = try Image(decoding: bytes, options: options)
        let found = damage.found.withLock { $0 }
        #expect(found.count == 1, sourceLocation: sourceLocation)
        return (image, found.first ?? "")
    }

    /// Browsers and Pillow show all pixels of these.
    @Test func wholePixelsOfDamagedPNGs() throws {
        let png = original.encodedPNG()
        let noEnd = try read(png.dropLast(12))
        #expect(noEnd.image == original && noEnd.damage == "the PNG data end before the image does")
        #expect(try read(png.dropLast(5)).image == original)
        // The checksum of the pixels, 16 bytes from the end.
        var changed = png
        changed[png.count - 16] ^= 1
        let checksum = try read(changed)
        #expect(checksum.image == original && checksum.damage.hasSuffix("a checksum is wrong (chunk IDAT)"))
        // Only its checksum is missing.
        #expect(try read(png.dropLast(16)).image == original)
    }

    @Test func rowsBeforeTheCutAreRead() throws {
        let png = original.encodedPNG()
        let half = try read(png.dropLast(png.count / 2)).image
        let rows = (0..<32).filter { row in
            half.pixels[row * 120..<(row + 1) * 120] == original.pixels[row * 120..<(row + 1) * 120]
        }
        #expect((8..<30).contains(rows.count) && rows == Array(0..<rows.count))
        // libpng delivers nothing of a row that it cannot finish.
        #expect(half.pixels[rows.count * 120..<half.pixels.count].allSatisfy { $0 == 0 })
        let jpeg = original.encodedJPEG(quality: 95)
        let whole = try Image(decoding: jpeg)
        let cut = try read(jpeg.dropLast(jpeg.count / 3))
        #expect(cut.damage == "the JPEG data end before the image does")
        #expect(cut.image.pixels[0..<8 * 120] == whole.pixels[0..<8 * 120] && cut.image != whole)
    }

    /// A strict reader stops before the header that is cut off behind the pixels.
    @Test func whatStandsBehindThePixelsSpoilsNone() throws {
        var jpeg = original.encodedJPEG(quality: 95)
        let frame = try #require(jpeg.indices.dropLast().first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
        jpeg = jpeg.dropLast(2) + jpeg[frame..<frame + 6]
        var options = DecodingOptions()
        options.onDamage = { _, _ in }
        #expect(try Image(decoding: jpeg, options: options) == Image(decoding: jpeg))
    }

    /// The same pixels where a JPEG is resized as it is decoded.
    @Test func resizedJPEGs() throws {
        let jpeg = Array(original.encodedJPEG(quality: 95).dropLast(400))
        let damage = Damage()
        var options = DecodingOptions()
        options.onDamage = { name, _ in damage.found.withLock { $0.append(name) } }
        options.name = "cut.jpg"
        let preprocessing = Preprocessing(resize: .exact(width: 20, height: 16), interpolation: .bilinear)
        let prepared = try preprocessing.prepare(decoding: jpeg, options: options)
        #expect(prepared.image == preprocessing.prepare(try Image(decoding: jpeg, options: options)))
        #expect(damage.found.withLock { $0 } == ["cut.jpg", "cut.jpg"])
    }

    @Test func whatHasNoPixelsIsRefused() {
        var options = DecodingOptions()
        options.onDamage = { _, _ in }
        for bytes in [original.encodedPNG(), original.encodedJPEG(quality: 90)] {
            for count in [0, 1, 8, 20, 30, 33, 40] {
                #expect(throws: ImageError.self) { try Image(decoding: Array(bytes.prefix(count)), options: options) }
            }
        }
    }
}
