import CImageCodecs
import Testing

import Imaging

/// What is no sound PNG or JPEG is refused with its reason, and costs no memory.
@Suite struct RefusalTests {
    @Test func otherFormatsAreNamed() {
        let beginnings: [(String, [UInt8])] = [
            ("WebP", Array("RIFF\u{10}\0\0\0WEBPVP8 ".utf8)), ("GIF", Array("GIF89a".utf8)),
            ("BMP", [0x42, 0x4D, 0, 1, 0, 0, 0, 0, 0, 0]), ("TIFF", [0x49, 0x49, 42, 0]),
            ("TIFF", [0x4D, 0x4D, 0, 42]), ("HEIC", Array("\0\0\0\u{18}ftypheic".utf8)),
            ("AVIF", Array("\0\0\0\u{1C}ftypavif".utf8)), ("JPEG 2000", [0, 0, 0, 12] + Array("jP  \r\n".utf8)),
            ("JPEG XL", [0xFF, 0x0A]), ("Photoshop (PSD)", Array("8BPS".utf8)), ("PDF", Array("%PDF-1.7".utf8)),
            ("SVG", Array("<?xml version='1.0'?>\n<svg xmlns=''>".utf8)), ("SVG", Array("  <svg>".utf8)),
            ("PNM", Array("P6\n1 1\n255\n".utf8)), ("an HTML page", Array("<!DOCTYPE html>".utf8)),
        ]
        for (name, bytes) in beginnings {
            #expect(decodingError(bytes) == .otherFormat(name: name))
            #expect("\(ImageError.otherFormat(name: name))" == "this is \(name); swift-vit reads PNG and JPEG")
        }
        #expect(decodingError([1, 2, 3]) == .otherFormat(name: nil))
        #expect(decodingError(Array("hello, world\n".utf8)) == .otherFormat(name: nil))
        #expect(decodingError([]) == .empty)
    }

    @Test func filesThatCannotBeReadAreToldApart() throws {
        #expect(throws: ImageError.unreadableFile(errno: 2)) { try Image(contentsOfFile: fixture("missing.png")) }
        #expect(ImageError.unreadableFile(errno: 2).isMissingFile)
        #expect(throws: ImageError.unreadableFile(errno: 21)) { try Image(contentsOfFile: fixture(".")) }
        #expect(ImageError.unreadableFile(errno: 21).isUnreadableFile)
        #expect(!ImageError.unreadableFile(errno: 21).isMissingFile)
        #expect(!ImageError.empty.isUnreadableFile)
        #expect(throws: ImageError.otherFormat(name: nil)) { try Image(contentsOfFile: fixture("decoded.csv")) }
    }

    @Test func tooManyPixelsAreToldFromTheHeader() throws {
        let side: [UInt8] = [0x00, 0x00, 0x75, 0x30]
        let header = Array("IHDR".utf8) + side + side + [8, 2, 0, 0, 0]
        let png = ImageFormat.pngSignature + [0, 0, 0, 13] + header + bigEndian(codecs_crc32(header, header.count))
        let expected = ImageError.tooManyPixels(width: 30_000, height: 30_000, limit: 89_478_485)
        #expect(decodingError(png) == expected)
        #expect("\(expected)" == "the image has 30000 × 30000 pixels, more than the limit of 89478485")
        var jpeg = try fixtureBytes("baseline.jpg")
        let frame = try #require(jpeg.indices.first { jpeg[$0...].starts(with: [0xFF, 0xC0]) })
        jpeg.replaceSubrange(frame + 5..<frame + 9, with: side[2...] + side[2...])
        #expect(decodingError(jpeg) == expected)
    }

    @Test func anEdgeMayBeTooLong() {
        func column(_ height: Int) -> [UInt8] {
            Image(width: 1, height: height, channels: 1, pixels: Array(repeating: 7, count: height)).encodedPNG()
        }
        #expect(decodingError(column(1 << 20)) == nil)
        let error = decodingError(column((1 << 20) + 1))
        #expect(
            error == .unsupported("it has 1 × 1048577 pixels, and no edge may be longer than 1048576"),
            "\(error as Any)")
    }

    @Test func theLimitOfPixelsIsInclusive() throws {
        var options = DecodingOptions()
        options.maxPixels = 9 * 13
        let bytes = try fixtureBytes("png-2-8.png")
        #expect(decodingError(bytes, options: options) == nil)
        options.maxPixels -= 1
        #expect(decodingError(bytes, options: options) == .tooManyPixels(width: 13, height: 9, limit: 116))
    }

    @Test(arguments: ["png-2-8.png", "png-3-4-interlaced.png", "baseline.jpg", "progressive.jpg", "arithmetic.jpg"])
    func anyTruncationIsRefused(_ name: String) throws {
        let bytes = try fixtureBytes(name)
        for count in 4..<bytes.count {
            #expect(decodingError(Array(bytes.prefix(count))) != nil, "\(count) bytes")
        }
        let half = Array(bytes.prefix(bytes.count / 2))
        #expect(decodingError(half) == .truncated(format: name.hasSuffix("png") ? "PNG" : "JPEG"))
    }

    @Test func anyDamageToAPNGIsNoticed() throws {
        let bytes = try fixtureBytes("png-2-8.png")
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] ^= 0x10
            #expect(decodingError(damaged) != nil, "byte \(position)")
        }
    }

    @Test func lineEndsThatWereConvertedAreNoticed() throws {
        let bytes = try fixtureBytes("png-2-8.png")
        #expect(decodingError(bytes.flatMap { $0 == 10 ? [13, 10] : [$0] }) == .otherFormat(name: nil))
        #expect(decodingError(bytes.filter { $0 != 13 }) == .otherFormat(name: nil))
        #expect(decodingError([bytes[0] & 0x7F] + bytes.dropFirst()) == .otherFormat(name: nil))
    }

    @Test(arguments: ["bomb-text.png", "bomb-international.png", "bomb-profile.png"])
    func chunksThatUnpackToMegabytesAreRefused(_ name: String) throws {
        let error = try #require(decodingError(try fixtureBytes(name)))
        #expect("\(error)".hasPrefix("the PNG data are damaged: its chunk "))
        #expect("\(error)".hasSuffix(" holds more than any text needs"))
    }

    @Test func endlessScansAreRefused() throws {
        let bytes = try fixtureBytes("progressive.jpg")
        // The first scan, up to the marker that follows its data.
        let start = try #require(bytes.indices.first { bytes[$0...].starts(with: [0xFF, 0xDA]) })
        let end = try #require(bytes.indices.first { $0 > start && bytes[$0] == 0xFF && bytes[$0 + 1] != 0 })
        func repeated(_ count: Int) -> [UInt8] {
            bytes[..<start] + Array(repeatElement(bytes[start..<end], count: count).joined()) + bytes[end...]
        }
        #expect(decodingError(repeated(20)) == nil)
        let error = try #require(decodingError(repeated(600)))
        #expect(
            "\(error)"
                == "the image cannot be read: its kind of JPEG is not one that swift-vit reads (it has more than 500 scans)"
        )
    }

    @Test func aLargeImageMayHaveFewerScans() {
        let limits = [0, 1, 4_000_000, 8_000_000, 20_000_000, 89_478_485, .max].map(JPEGReader.scanLimit)
        #expect(limits == [500, 500, 500, 250, 100, 100, 100])
    }

    @Test func framesThatAreNotReadAreNamed() throws {
        let bytes = try fixtureBytes("baseline.jpg")
        let frame = try #require(bytes.indices.first { bytes[$0...].starts(with: [0xFF, 0xC0]) })
        func changed(_ offset: Int, to value: UInt8) -> String {
            var changed = bytes
            changed[frame + offset] = value
            return decodingError(changed).map { "\($0)" } ?? "decoded"
        }
        let end = " JPEG, which swift-vit does not read"
        #expect(changed(4, to: 12) == "the image cannot be read: it is a 12-bit" + end)
        #expect(changed(1, to: 0xC3) == "the image cannot be read: it is a lossless" + end)
        #expect(changed(1, to: 0xC7) == "the image cannot be read: it is a hierarchical lossless" + end)
        #expect(changed(1, to: 0xC5) == "the image cannot be read: it is a hierarchical" + end)
    }

    @Test func damagedScansAreRefused() throws {
        let bytes = try fixtureBytes("restarts.jpg")
        // A restart marker with the wrong number: the decoder would have to make pixels up.
        let marker = try #require(bytes.indices.first { bytes[$0...].starts(with: [0xFF, 0xD1]) })
        var damaged = bytes
        damaged[marker + 1] = 0xD5
        let error = try #require(decodingError(damaged))
        #expect("\(error)".hasPrefix("the JPEG data are damaged: "))
    }

    private func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}
