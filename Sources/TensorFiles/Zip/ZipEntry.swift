import CImageCodecs
import Support

/// A file in an archive.
struct ZipEntry: Sendable {
    var name: String
    /// The bytes as they lie in the archive.
    var packed: Bytes
    /// The size when unpacked.
    var size: Int
    var isDeflated: Bool
    var checksum: UInt32
    /// The archive, for messages.
    var path: String

    /// The greatest factor by which deflate can shrink anything; what claims more is no honest archive.
    private static let greatestRatio = 1032
    /// Beyond any single tensor of a model that fits.
    private static let greatestSize = 1 << 30

    /// The content: the mapped bytes themselves where they are stored, else unpacked and checked.
    func content() throws(FileError) -> Bytes {
        guard isDeflated else { return packed }
        guard size <= Self.greatestSize, size / Self.greatestRatio <= packed.count else {
            throw .malformed(path, "claims that \(name) unpacks from \(packed.count) to \(size) bytes; it is damaged")
        }
        let content = Bytes(Memory(byteCount: size))
        let unpacked = unsafe codecs_inflate(
            packed.address.assumingMemoryBound(to: UInt8.self), packed.count,
            content.address.assumingMemoryBound(to: UInt8.self), size)
        guard unpacked == 1, content.checksum == checksum else {
            throw .malformed(path, "holds a damaged \(name); copy the file again")
        }
        return content
    }
}

extension Bytes {
    /// The CRC-32 of the bytes.
    var checksum: UInt32 {
        unsafe codecs_crc32_update(0, address.assumingMemoryBound(to: UInt8.self), count)
    }
}
