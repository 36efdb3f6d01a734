import Imaging
import LibC
import Support

/// A file in a tar archive, read in place.
public struct ArchiveMember: Equatable, Sendable {
    package let archive: TarArchive
    /// The place in the archive's index.
    package let index: Int

    /// The path as printed in results: that of the archive, a slash, and the member's name.
    public var path: String { Files.join(archive.path, archive.index.name(index)) }

    /// The size in bytes.
    package var byteCount: Int { archive.index.size(index) }

    /// Members are equal where their paths are.
    public static func == (one: ArchiveMember, other: ArchiveMember) -> Bool {
        one.archive === other.archive ? one.index == other.index : one.path.equalsBytewise(other.path)
    }

    /// The content of an image; of a file that is neither PNG nor JPEG, only the beginning, which says what it is.
    func imageBytes() throws(ImageError) -> [UInt8] {
        if let reason = archive.index.kind(index).reason { throw .unsupported(reason) }
        do throws(SystemError) {
            guard byteCount <= Self.sizeLimit else { throw SystemError(code: EFBIG) }
            if byteCount <= Self.smallSize { return Image.relevant(try archive.bytes(of: index)) }
            let start = try archive.bytes(of: index, upTo: ImageFormat.prefixCount)
            switch ImageFormat(of: start) {
            case .png, .jpeg: return try archive.bytes(of: index)
            case .other, .unknown: return start
            }
        } catch {
            throw error.code == EIO
                ? .unsupported("the archive cannot be read there") : .unreadableFile(errno: error.code)
        }
    }

    /// The content of a small file; nil where it is larger than any of its kind.
    func smallBytes() throws(SystemError) -> [UInt8]? {
        byteCount <= Self.smallSize ? try archive.bytes(of: index) : nil
    }

    /// From this size on, a file is not read, as outside of archives.
    private static let sizeLimit = 16 << 30
    /// Up to this size, reading all at once costs less than two reads.
    private static let smallSize = 1 << 20
}

extension InputError {
    /// A member that cannot be read, whatever it holds.
    init?(_ member: ArchiveMember) {
        guard let reason = member.archive.index.kind(member.index).reason else { return nil }
        self = .malformed(member.path, "cannot be read: \(reason)")
    }
}
