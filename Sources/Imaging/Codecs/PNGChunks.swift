import CImageCodecs

/// A chunk of a PNG: a four-letter type and its content.
struct PNGChunk {
    let type: [UInt8]
    /// The range of the content in the file.
    let content: Range<Int>

    func isNamed(_ name: String) -> Bool { type.elementsEqual(name.utf8) }

    /// The type for error messages, if it is readable.
    var name: String {
        type.allSatisfy { (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
            ? String(decoding: type, as: UTF8.self) : "of an unknown type"
    }
}

/// The chunks of a PNG, which are checked before anything is inflated.
struct PNGChunks {
    let width: Int
    let height: Int

    /// The maximum total size of texts and profiles: Pillow's limit.
    private static let textTotalLimit = 64 << 20

    /// Reads the header chunk; `check` reads the rest.
    init(_ bytes: [UInt8]) throws(ImageError) {
        // Signature, length, "IHDR", and 13 bytes that begin with the size.
        guard bytes.count >= 33 else { throw .truncated(format: "PNG") }
        guard Self.integer(bytes, at: 8) == 13, bytes[12..<16].elementsEqual("IHDR".utf8) else {
            throw .corrupt(format: "PNG", reason: "it does not begin with a header chunk")
        }
        width = Self.integer(bytes, at: 16)
        height = Self.integer(bytes, at: 20)
        guard (1...Int(Int32.max)).contains(width), (1...Int(Int32.max)).contains(height) else {
            throw .corrupt(format: "PNG", reason: "its header gives a size of \(width) × \(height)")
        }
    }

    /// Throws if a chunk is truncated, fails its checksum, or holds too much text.
    func check(_ bytes: [UInt8]) throws(ImageError) {
        var offset = ImageFormat.pngSignature.count
        var textTotal = 0
        while true {
            guard let chunk = Self.chunk(bytes, at: offset) else { throw .truncated(format: "PNG") }
            let end = chunk.content.upperBound
            guard Self.integer(bytes, at: end) == Self.checksum(bytes, of: chunk.content.lowerBound - 4..<end) else {
                throw .corrupt(format: "PNG", reason: "a checksum is wrong (chunk \(chunk.name))")
            }
            if let text = PNGText(chunk, bytes) {
                guard let size = text.unpackedSize(bytes), size + textTotal <= Self.textTotalLimit else {
                    throw .corrupt(format: "PNG", reason: "its chunk \(chunk.name) holds more than any text needs")
                }
                textTotal += size
            }
            if chunk.isNamed("IEND") { return }
            offset = end + 4
        }
    }

    /// The chunks that make the pixels and the orientation, up to the first that is truncated, which is mended if it holds
    /// pixels; checksums are not, since none is verified after `check`.
    func mended(_ bytes: [UInt8]) -> [UInt8] {
        var mended = ImageFormat.pngSignature
        var offset = mended.count
        while let chunk = Self.chunk(bytes, at: offset), !chunk.isNamed("IEND") {
            let end = chunk.content.upperBound + 4
            let isCritical = chunk.type.first.map { (0x41...0x5A).contains($0) } ?? false
            if isCritical || chunk.isNamed("tRNS") || chunk.isNamed("eXIf") { mended += bytes[offset..<end] }
            offset = end
        }
        let rest = bytes[min(offset, bytes.count)...]
        if rest.count > 8, rest.dropFirst(4).starts(with: "IDAT".utf8) {
            // What there is of the pixels, and four bytes in the place of a checksum.
            let content = rest.dropFirst(8).prefix(Self.integer(bytes, at: offset))
            mended += Self.bigEndian(content.count) + "IDAT".utf8 + content + Self.bigEndian(0)
        }
        return mended + Self.bigEndian(0) + "IEND".utf8 + Self.bigEndian(0)
    }

    private static func bigEndian(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(value >> $0 & 0xFF) } }

    /// The orientation in EXIF, wherever it is stored, else in XMP, else 1. Assumes checked chunks.
    func orientation(_ bytes: [UInt8]) -> Int {
        var exif: Range<Int>?
        // The last of each counts, and only that is unpacked.
        var profile: PNGText?
        var xmp: PNGText?
        var offset = ImageFormat.pngSignature.count
        while let chunk = Self.chunk(bytes, at: offset), !chunk.isNamed("IEND") {
            if chunk.isNamed("eXIf") {
                exif = chunk.content
            } else if let text = PNGText(chunk, bytes) {
                if text.hasKeyword("Raw profile type exif", bytes) { profile = text }
                if text.hasKeyword("XML:com.adobe.xmp", bytes) { xmp = text }
            }
            offset = chunk.content.upperBound + 4
        }
        let raw = exif.map { Array(bytes[$0]) } ?? profile?.rawProfile(bytes) ?? []
        return exifOrientation(raw[...]) ?? xmpOrientation((xmp?.unpacked(bytes) ?? [])[...]) ?? 1
    }

    /// The chunk whose length field is at `offset`; nil if it is truncated.
    private static func chunk(_ bytes: [UInt8], at offset: Int) -> PNGChunk? {
        guard bytes.count - offset >= 12 else { return nil }
        let length = integer(bytes, at: offset)
        guard length <= bytes.count - offset - 12 else { return nil }
        let start = offset + 8
        return PNGChunk(type: Array(bytes[offset + 4..<start]), content: start..<start + length)
    }

    private static func integer(_ bytes: [UInt8], at offset: Int) -> Int {
        bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    private static func checksum(_ bytes: [UInt8], of range: Range<Int>) -> Int {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            let part = unsafe UnsafeBufferPointer(rebasing: bytes[range])
            return unsafe Int(codecs_crc32(part.baseAddress, part.count))
        }
    }
}
