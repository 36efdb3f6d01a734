import CImageCodecs
import Support

/// Files that `gzip` has packed (RFC 1952).
enum Gzip {
    /// More than any vocabulary unpacks to.
    private static let greatestSize = 1 << 28
    private static let greatestRatio = 1032

    /// The content of a file, unpacked and checked.
    static func content(of path: String) throws(FileError) -> [UInt8] {
        let bytes = try Files.content(of: path, expected: "a file packed by gzip")
        guard let start = payload(bytes), bytes.count - start >= 8 else {
            throw .malformed(path, "is not packed by gzip, or cut short; copy it again")
        }
        func word(_ offset: Int) -> UInt32 { (0..<4).reversed().reduce(0) { $0 << 8 | UInt32(bytes[offset + $1]) } }
        let (checksum, size) = (word(bytes.count - 8), Int(word(bytes.count - 4)))
        guard size <= greatestSize, size / greatestRatio <= bytes.count else {
            throw .malformed(path, "claims to unpack from \(bytes.count) to \(size) bytes; it is damaged")
        }
        let content = Bytes(Memory(byteCount: size))
        let isWhole = unsafe bytes.withUnsafeBufferPointer { packed in
            guard let first = packed.baseAddress else { return false }
            let target = unsafe content.address.assumingMemoryBound(to: UInt8.self)
            return unsafe codecs_inflate(first + start, packed.count - start - 8, target, size) == 1
                && codecs_crc32_update(0, target, size) == checksum
        }
        guard isWhole else { throw .malformed(path, "is damaged: it does not unpack; copy it again") }
        return content.array
    }

    /// Where the packed data begin, behind the header; nil where there is none.
    private static func payload(_ bytes: [UInt8]) -> Int? {
        guard bytes.count > 18, bytes.starts(with: [0x1F, 0x8B, 8]) else { return nil }
        let flags = bytes[3]
        var position = 10
        if flags & 4 != 0 { position += 2 + Int(bytes[10]) + Int(bytes[11]) << 8 }
        // A name and a comment, each ended by a zero.
        for flag in [UInt8(8), 16] where flags & flag != 0 {
            guard position < bytes.count, let end = bytes[position...].firstIndex(of: 0) else { return nil }
            position = end + 1
        }
        if flags & 2 != 0 { position += 2 }
        return position <= bytes.count ? position : nil
    }
}
