import CImageCodecs

/// A chunk of text or of a colour profile: a keyword, and content that may be packed.
struct PNGText {
    private let keyword: Range<Int>
    private let content: Range<Int>
    private let isPacked: Bool

    /// What one packed text may unpack to: Pillow's limit.
    private static let unpackedLimit = 1 << 20

    /// Nil where the chunk is of another kind or damaged.
    init?(_ chunk: PNGChunk, _ bytes: [UInt8]) {
        let isInternational = chunk.isNamed("iTXt")
        let isPlain = chunk.isNamed("tEXt")
        guard isInternational || isPlain || chunk.isNamed("zTXt") || chunk.isNamed("iCCP") else { return nil }
        let end = chunk.content.upperBound
        guard let zero = bytes[chunk.content].firstIndex(of: 0) else { return nil }
        keyword = chunk.content.lowerBound..<zero
        var start = zero + 1
        // The method of packing; in iTXt a flag before it, and behind it two more texts that end in zeros.
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

    /// The size of the content; nil where it is packed and unpacks to more than is allowed.
    func unpackedSize(_ bytes: [UInt8]) -> Int? {
        guard isPacked else { return content.count }
        let size = unsafe unpack(bytes, into: nil)
        return size <= Self.unpackedLimit ? size : nil
    }

    /// The content, of which the size has been checked.
    func unpacked(_ bytes: [UInt8]) -> [UInt8] {
        guard isPacked else { return Array(bytes[content]) }
        return unsafe [UInt8](unsafeUninitializedCapacity: Self.unpackedLimit) { buffer, initialized in
            initialized = unsafe min(unpack(bytes, into: buffer.baseAddress), Self.unpackedLimit)
        }
    }

    /// The bytes that ImageMagick writes as text: an empty line, a name, a length, then hexadecimal digits.
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
