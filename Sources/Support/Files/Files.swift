import LibC

/// Questions to the file system, without Foundation's start-up cost.
package enum Files {
    /// What a path leads to.
    package enum Kind { case missing, directory, file }

    /// What `stat` says of a file, links followed.
    package struct Status {
        package let isDirectory: Bool
        package let isRegularFile: Bool
        package let byteCount: Int
        /// The time of the last change, in nanoseconds since 1970.
        package let modified: Int64
        /// Which file it is, however many names it has.
        package let identity: Identity
    }

    /// Device and inode.
    package struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    package static func status(_ path: String) throws(SystemError) -> Status {
        var buffer = stat()
        guard unsafe stat(systemPath(path), &buffer) == 0 else { throw .last }
        return Status(buffer)
    }

    /// What `stat` says of a file; nil where there is none. Throws where the system cannot tell.
    package static func statusIfAny(_ path: String) throws(FileError) -> Status? {
        do throws(SystemError) {
            return try status(path)
        } catch {
            if error.isMissing { return nil }
            throw FileError(.inputOutput, path, "cannot be examined: \(error.clause)")
        }
    }

    /// What `path` leads to; throws where the system cannot tell.
    package static func kind(of path: String) throws(FileError) -> Kind {
        try statusIfAny(path).map { $0.isDirectory ? .directory : .file } ?? .missing
    }

    /// Whether it is certain that nothing has this name.
    package static func isMissing(_ path: String) -> Bool {
        do throws(SystemError) {
            _ = try status(path)
            return false
        } catch {
            return error.isMissing
        }
    }

    /// All bytes of a file.
    package static func bytes(of path: String) throws(SystemError) -> [UInt8] {
        try InputFile(path).readToEnd()
    }

    /// All bytes of a regular file that is not empty, `limit` at most; `expected` says what it should be.
    ///
    /// Unlike those of a mapped file, they cannot change or become unreadable later.
    package static func content(
        of path: String, expected: String, upTo limit: Int = .max
    ) throws(FileError) -> [UInt8] {
        do throws(SystemError) {
            let file = try InputFile(path)
            guard file.isRegular else { throw .isNoFile }
            guard file.byteCount <= limit else { throw SystemError(code: EFBIG) }
            let bytes = try file.readToEnd()
            if !bytes.isEmpty { return bytes }
        } catch {
            throw FileError(opening: path, expected: expected, error)
        }
        throw .malformed(path, "is empty; expected \(expected)")
    }

    /// The path from the root, links followed; the path as it is where it leads nowhere.
    package static func resolved(_ path: String) throws(FileError) -> String {
        guard let resolved = unsafe realpath(systemPath(path), nil) else {
            let error = SystemError.last
            if error.isMissing { return path }
            throw FileError(.inputOutput, path, "cannot be examined: \(error.clause)")
        }
        defer { unsafe free(resolved) }
        return unsafe text(ofName: resolved)
    }

    // MARK: Paths

    /// `directory/name`, without doubling the slash.
    package static func join(_ directory: String, _ name: String) -> String {
        directory.isEmpty ? name : directory.utf8.last == UInt8(ascii: "/") ? directory + name : "\(directory)/\(name)"
    }

    /// What comes before the last slash of a path; empty for the current directory.
    package static func directory(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
        return slash == path.startIndex ? "/" : withoutTrailingSlashes(String(path[..<slash]))
    }

    /// What comes after the last slash of a path.
    package static func name(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }

    /// A path without the slashes at its end ("photos/" is "photos", "/" stays).
    package static func withoutTrailingSlashes(_ path: String) -> String {
        var bytes = path.utf8[...]
        while bytes.count > 1 && bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        return String(Substring(bytes))
    }
}

extension Files.Status {
    init(_ buffer: stat) {
        isDirectory = buffer.st_mode & S_IFMT == S_IFDIR
        isRegularFile = buffer.st_mode & S_IFMT == S_IFREG
        byteCount = Int(buffer.st_size)
        modified = Int64(buffer.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(buffer.st_mtim.tv_nsec)
        identity = Files.Identity(
            device: UInt64(truncatingIfNeeded: buffer.st_dev), inode: UInt64(truncatingIfNeeded: buffer.st_ino))
    }
}

extension String {
    /// Whether this string comes first in the order of the bytes, as `LC_ALL=C sort` has it.
    package func precedesBytewise(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}
