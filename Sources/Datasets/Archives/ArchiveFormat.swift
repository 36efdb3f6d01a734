import Support

/// What a file is that may stand for a folder of images, by its first bytes.
enum ArchiveFormat: Equatable {
    case tar
    /// An archive that cannot be read in place: its name.
    case other(String)

    /// The number of bytes that are examined.
    static let byteCount = TarArchive.headCount

    /// Nil where it is no archive.
    init?(_ head: [UInt8]) {
        if TarArchive.begins(head) {
            self = .tar
        } else if let found = Self.others.first(where: { head.starts(with: $0.bytes) }) {
            self = .other(found.name)
        } else {
            return nil
        }
    }

    private static let others: [(name: String, bytes: [UInt8])] = [
        ("gzip", [0x1F, 0x8B]), ("bzip2", [0x42, 0x5A, 0x68]), ("xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A]),
        ("zstd", [0x28, 0xB5, 0x2F, 0xFD]), ("zip", [0x50, 0x4B, 0x03, 0x04]), ("7z", [0x37, 0x7A, 0xBC, 0xAF]),
    ]
}

extension InputError {
    /// An archive that cannot be read in place.
    static func compressed(_ path: String, format: String) -> InputError {
        .malformed(
            path,
            "is compressed (\(format)) and cannot be read in place; expected a .tar: unpack it to one, or to a folder")
    }
}
