import CImageCodecs

/// The chunks that a PNG consists of: what can be known, and checked, before anything is unpacked.
struct PNGChunks {
    private struct Chunk {
        let type: [UInt8]
        /// Where the content lies.
        let content: Range<Int>

        func isNamed(_ name: String) -> Bool { type.elementsEqual(name.utf8) }
        /// For an error: the type where it is readable.
        var name: String {
            type.allSatisfy { (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
                ? String(decoding: type, as: UTF8.self) : "of an unknown type"
        }
    }

    let width: Int
    let height: Int

    /// What a text or a colour profile may unpack to, and all of them together: Pillow's limits.
    private static let unpackedLimit = 1 << 20
    private static let unpackedTotalLimit = 64 << 20

    /// Reads the header chunk; the rest waits for `check`.
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

    /// Refuses chunks that are cut off, fail their checksum, or unpack to more text than anybody writes.
    func check(_ bytes: [UInt8]) throws(ImageError) {
        var offset = ImageFormat.pngSignature.count
        var unpacked = 0
        while true {
            guard let chunk = Self.chunk(bytes, at: offset) else { throw .truncated(format: "PNG") }
            let end = chunk.content.upperBound
            guard Self.integer(bytes, at: end) == Self.checksum(bytes, of: chunk.content.lowerBound - 4..<end) else {
                throw .corrupt(format: "PNG", reason: "a checksum is wrong (chunk \(chunk.name))")
            }
            if let packed = Self.packedText(chunk, bytes) {
                let size = Self.unpackedSize(bytes, of: packed)
                unpacked += size
                if size > Self.unpackedLimit || unpacked > Self.unpackedTotalLimit {
                    throw .corrupt(format: "PNG", reason: "its chunk \(chunk.name) unpacks to more than any text needs")
                }
            }
            if chunk.isNamed("IEND") { return }
            offset = end + 4
        }
    }

    /// The EXIF orientation, 1 where there is none. The chunks have been checked.
    func orientation(_ bytes: [UInt8]) -> Int {
        var exif: ArraySlice<UInt8> = []
        var offset = ImageFormat.pngSignature.count
        while let chunk = Self.chunk(bytes, at: offset), !chunk.isNamed("IEND") {
            if chunk.isNamed("eXIf") { exif = bytes[chunk.content] }
            offset = chunk.content.upperBound + 4
        }
        return exifOrientation(exif) ?? 1
    }

    /// The chunk whose length field is at `offset`; nil if the data end before its checksum does.
    private static func chunk(_ bytes: [UInt8], at offset: Int) -> Chunk? {
        guard bytes.count - offset >= 12 else { return nil }
        let length = integer(bytes, at: offset)
        guard length <= bytes.count - offset - 12 else { return nil }
        let start = offset + 8
        return Chunk(type: Array(bytes[offset + 4..<start]), content: start..<start + length)
    }

    /// Where the zlib stream of a text or profile chunk lies; nil for others, and for text that is not packed.
    private static func packedText(_ chunk: Chunk, _ bytes: [UInt8]) -> Range<Int>? {
        let isInternational = chunk.isNamed("iTXt")
        guard isInternational || chunk.isNamed("zTXt") || chunk.isNamed("iCCP") else { return nil }
        let end = chunk.content.upperBound
        // A keyword and a zero; then the method, in iTXt after a flag and before two more texts that end in zeros.
        guard var start = bytes[chunk.content].firstIndex(of: 0).map({ $0 + 2 }), start <= end else { return nil }
        if isInternational {
            guard bytes[start - 1] == 1, start + 1 <= end else { return nil }
            start += 1
            for _ in 0..<2 {
                guard let zero = bytes[start..<end].firstIndex(of: 0) else { return nil }
                start = zero + 1
            }
        }
        return start..<end
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

    private static func unpackedSize(_ bytes: [UInt8], of range: Range<Int>) -> Int {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            let part = unsafe UnsafeBufferPointer(rebasing: bytes[range])
            return unsafe codecs_unpacked_size(part.baseAddress, part.count, unpackedLimit)
        }
    }
}
