#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The few questions about files that this module asks the system, without Foundation's start-up cost.
enum FileSystem {
    /// What `stat` tells of a file, links followed.
    struct Status {
        let isDirectory: Bool
        let isRegularFile: Bool
        let byteCount: Int
        /// Nanoseconds since 1970.
        let modified: Int64
        /// Which file it is, however many names it has.
        let identity: Identity
    }

    /// Device and inode.
    struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    /// Why a call failed, in the system's words.
    struct Failure: Error {
        let code: Int32

        /// The last failure of this thread.
        static var last: Failure { Failure(code: errno) }

        var isMissing: Bool { code == ENOENT || code == ENOTDIR }

        var description: String {
            switch code {
            case EACCES, EPERM: "permission denied"
            case ENOENT, ENOTDIR: "no such file"
            case EISDIR: "it is a directory"
            case ELOOP: "too many symbolic links"
            case ENAMETOOLONG: "the path is too long"
            case EMFILE, ENFILE: "too many open files"
            case EIO: "input/output error"
            default: "system error \(code)"
            }
        }
    }

    static func status(_ path: String) throws(Failure) -> Status {
        var buffer = stat()
        guard unsafe stat(path, &buffer) == 0 else { throw .last }
        return Status(
            isDirectory: buffer.st_mode & S_IFMT == S_IFDIR,
            isRegularFile: buffer.st_mode & S_IFMT == S_IFREG,
            byteCount: Int(buffer.st_size),
            modified: Int64(buffer.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(buffer.st_mtim.tv_nsec),
            identity: Identity(
                device: UInt64(truncatingIfNeeded: buffer.st_dev), inode: UInt64(truncatingIfNeeded: buffer.st_ino)))
    }

    /// The first `limit` bytes of a file, or all of them where it is shorter.
    static func bytes(of path: String, limit: Int = .max) throws(Failure) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last }
        defer { close(descriptor) }
        return try bytes(from: descriptor, limit: limit)
    }

    /// What standard input holds, to its end.
    static func standardInput() throws(Failure) -> [UInt8] { try bytes(from: 0, limit: .max) }

    private static func bytes(from descriptor: Int32, limit: Int) throws(Failure) -> [UInt8] {
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(limit, 1 << 16))
        while result.count < limit {
            let wanted = min(chunk.count, limit - result.count)
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, wanted) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .last }
            if count == 0 { break }
            result += chunk[..<count]
        }
        return result
    }

    /// What a directory says of an entry, without opening it.
    enum EntryKind { case file, directory, link, other, unknown }

    /// An entry of a directory; where `isUTF8` is false, the name's bad bytes have been replaced.
    struct Entry {
        let name: String
        let isUTF8: Bool
        let kind: EntryKind
    }

    /// What a directory holds, unordered, hidden entries left out.
    static func entries(of directory: String) throws(Failure) -> [Entry] {
        guard let stream = unsafe opendir(directory) else { throw .last }
        defer { unsafe closedir(stream) }
        var entries: [Entry] = []
        while let entry = unsafe readdir(stream) {
            let bytes: [UInt8] = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
                unsafe Array($0.prefix { $0 != 0 })
            }
            if bytes.first == UInt8(ascii: ".") { continue }
            let kind: EntryKind =
                switch unsafe Int(entry.pointee.d_type) {
                case Int(DT_REG): .file
                case Int(DT_DIR): .directory
                case Int(DT_LNK): .link
                case Int(DT_UNKNOWN): .unknown
                default: .other
                }
            let valid = String(validating: bytes, as: UTF8.self)
            entries.append(
                Entry(name: valid ?? String(decoding: bytes, as: UTF8.self), isUTF8: valid != nil, kind: kind))
        }
        return entries
    }

    /// `directory/name`, without doubling the slash.
    static func join(_ directory: String, _ name: String) -> String {
        directory.isEmpty ? name : directory.utf8.last == UInt8(ascii: "/") ? directory + name : "\(directory)/\(name)"
    }

    /// What comes before the last slash of a path, "." where there is none.
    static func directory(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : withoutTrailingSlashes(String(path[..<slash]))
    }

    /// A path without the slashes at its end ("photos/" is "photos", "/" stays).
    static func withoutTrailingSlashes(_ path: String) -> String {
        var path = Substring(path)
        while path.utf8.count > 1 && path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
        return String(path)
    }
}

extension String {
    /// Whether this string comes first in the order of the bytes, as `LC_ALL=C sort` has it.
    func precedesBytewise(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}
