import CImageCodecs

/// A text or colour-profile chunk: a keyword, and content that may be compressed.
struct PNGText {
    private let keyword: Range<Int>
    private let content: Range<Int>
    private let isPacked: Bool

    /// The maximum decompressed size of a text: Pillow's limit.
    private static let unpackedLimit = 1 << 20

    /// Nil if the chunk is of another type or damaged.
    init?(_ chunk: PNGChunk, _ bytes: [UInt8]) {
        let isInternational = chunk.isNamed("iTXt")
        let isPlain = chunk.isNamed("tEXt")
        guard isInternational || isPlain || chunk.isNamed("zTXt") || chunk.isNamed("iCCP") else { return nil }
        let end = chunk.content.upperBound
        guard let zero = bytes[chunk.content].firstIndex(of: 0) else { return nil }
        keyword = chunk.content.lowerBound..<zero
        var start = zero + 1
        // The compression method; in iTXt, a flag before it and two more zero-terminated texts after it.
        guard isPlain || start + (isInternational ? 2 : 1) <= end else { return nil }
        isPacked = !isPlain && (!isInternational || bytes[start] == 1)
        if !isPlain { start += isInternational ? 2 : 1 }
        if isInternational {
            for _ in 0..<2 {
                guard let zero = bytes[start..<end].firstIndex(of: 0) else { return nil }
                start = zero + 1
            }
        }
        content = start..<end
    }

    func hasKeyword(_ name: String, _ bytes: [UInt8]) -> Bool {
        bytes[keyword].elementsEqual(name.utf8)
    }

    /// The decompressed size; nil if it exceeds the limit.
    func unpackedSize(_ bytes: [UInt8]) -> Int? {
        guard isPacked else { return content.count }
        let size = unsafe unpack(bytes, into: nil)
        return size <= Self.unpackedLimit ? size : nil
    }

    /// The decompressed content, whose size has been checked.
    func unpacked(_ bytes: [UInt8]) -> [UInt8] {
        guard isPacked else { return Array(bytes[content]) }
        return unsafe [UInt8](unsafeUninitializedCapacity: Self.unpackedLimit) { buffer, initialized in
            initialized = unsafe min(unpack(bytes, into: buffer.baseAddress), Self.unpackedLimit)
        }
    }

    /// A raw profile as ImageMagick writes it: an empty line, a name, a length, then hexadecimal digits.
    func rawProfile(_ bytes: [UInt8]) -> [UInt8] {
        let lines = unpacked(bytes).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let digits = lines.dropFirst(3).joined().compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    private func unpack(_ bytes: [UInt8], into output: UnsafeMutablePointer<UInt8>?) -> Int {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            let part = unsafe UnsafeBufferPointer(rebasing: bytes[content])
            return unsafe codecs_unpack(part.baseAddress, part.count, output, Self.unpackedLimit)
        }
    }
}
