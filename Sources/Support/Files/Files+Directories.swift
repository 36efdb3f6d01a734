import LibC

extension Files {
    /// What a directory says of an entry, without opening it.
    package enum EntryKind { case file, directory, link, other, unknown }

    /// An entry of a directory.
    package struct Entry {
        package let name: String
        package let kind: EntryKind
    }

    /// What a directory holds, in no order.
    ///
    /// - Parameter hidden: whether to include names that begin with a dot.
    package static func entries(of directory: String, hidden: Bool = false) throws(SystemError) -> [Entry] {
        guard let stream = unsafe opendir(systemPath(directory)) else { throw .last }
        return try unsafe entries(of: stream, hidden: hidden)
    }

    /// What an open directory holds; closes it.
    @unsafe package static func entries(of stream: OpaquePointer, hidden: Bool) throws(SystemError) -> [Entry] {
        defer { unsafe closedir(stream) }
        var entries: [Entry] = []
        while true {
            // The end and a failure look alike, but for this.
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                if errno != 0 { throw .last }
                return entries
            }
            let bytes: [UInt8] = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
                unsafe Array($0.prefix { $0 != 0 })
            }
            let dot = UInt8(ascii: ".")
            if bytes.first == dot, !hidden || bytes == [dot] || bytes == [dot, dot] { continue }
            let kind: EntryKind =
                switch unsafe Int(entry.pointee.d_type) {
                case Int(DT_REG): .file
                case Int(DT_DIR): .directory
                case Int(DT_LNK): .link
                case Int(DT_UNKNOWN): .unknown
                default: .other
                }
            entries.append(Entry(name: text(ofName: bytes), kind: kind))
        }
    }

    /// The names in a directory, sorted; none where there is no such directory.
    ///
    /// - Parameter hidden: whether to include names that begin with a dot.
    package static func names(in directory: String, hidden: Bool = false) throws(FileError) -> [String] {
        do throws(SystemError) {
            return try entries(of: directory, hidden: hidden).map(\.name).sorted()
        } catch {
            if error.isMissing { return [] }
            throw FileError(.inputOutput, directory, "cannot be read: \(error.clause)")
        }
    }

    /// The bytes of all files in a directory, without those of the directories in it.
    package static func byteCount(inDirectory directory: String) throws(FileError) -> Int {
        var count = 0
        for name in try names(in: directory) {
            let status = try statusIfAny(join(directory, name))
            if let status, status.isRegularFile { count += status.byteCount }
        }
        return count
    }

    /// Makes a directory, and those that it lies in.
    package static func makeDirectory(_ path: String) throws(FileError) {
        switch try kind(of: path) {
        case .directory: return
        case .file: throw FileError(.cannotCreate, path, "is a file; a directory was expected")
        case .missing: break
        }
        let parent = directory(of: withoutTrailingSlashes(path))
        if !parent.isEmpty { try makeDirectory(parent) }
        guard unsafe mkdir(systemPath(path), 0o777) == 0 || errno == EEXIST else {
            throw FileError(.cannotCreate, path, "cannot be made", .last)
        }
    }

    /// Removes a file, or a directory with everything in it, if there is one; links are not followed.
    package static func remove(_ path: String) throws(FileError) {
        do throws(SystemError) {
            try removeFile(path)
        } catch {
            guard isDirectory(path) else { throw FileError(.inputOutput, path, "cannot be removed", error) }
            for name in try names(in: path, hidden: true) { try remove(join(path, name)) }
            guard unsafe rmdir(systemPath(path)) == 0 || errno == ENOENT else {
                throw FileError(.inputOutput, path, "cannot be removed", .last)
            }
        }
    }

    /// Removes what can be removed of it, where another failure is reported already.
    package static func discard(_ path: String) {
        do throws(SystemError) {
            try removeFile(path)
        } catch {
            guard isDirectory(path) else { return }
            for entry in (try? entries(of: path, hidden: true)) ?? [] { discard(join(path, entry.name)) }
            unsafe _ = rmdir(systemPath(path))
        }
    }

    /// Whether it is a directory itself, not a link to one.
    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(systemPath(path), &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Removes a file if there is one.
    package static func removeFile(_ path: String) throws(SystemError) {
        guard unsafe unlink(systemPath(path)) == 0 else {
            let error = SystemError.last
            if error.code == ENOENT { return }
            throw error
        }
    }

    /// Gives a file or directory that is on the disk another name, in place of what has that name, and makes it last.
    package static func move(_ path: String, to newPath: String) throws(FileError) {
        guard unsafe rename(systemPath(path), systemPath(newPath)) == 0 else {
            throw FileError(.cannotCreate, newPath, "cannot be put in its place", .last)
        }
        try synchronize(nameOf: newPath)
    }

    /// The same, where a failure is one to write what has the name.
    static func synchronize(nameOf path: String) throws(FileError) {
        do throws(SystemError) {
            try synchronize(directory: directory(of: path))
        } catch {
            throw FileError(.inputOutput, path, "cannot be written", error)
        }
    }

    /// Makes a symbolic link, in place of what has its name.
    package static func link(_ path: String, to target: String) throws(SystemError) {
        let aside = PartialName.path(for: path, number: 1)
        try removeFile(aside)
        guard unsafe symlink(systemPath(target), systemPath(aside)) == 0 else { throw .last }
        guard unsafe rename(systemPath(aside), systemPath(path)) == 0 else {
            let error = SystemError.last
            try? removeFile(aside)
            throw error
        }
    }

    /// The bytes that a user may still write to the file system of a directory; nil where nobody can tell.
    package static func freeByteCount(in directory: String) -> Int? {
        var status = statvfs()
        guard unsafe statvfs(systemPath(directory), &status) == 0 else { return nil }
        let (count, isTooLarge) = Int(clamping: status.f_bavail).multipliedReportingOverflow(
            by: Int(clamping: status.f_frsize))
        return isTooLarge ? Int.max : count
    }

    /// Waits until the names in a directory are on the disk; empty means the current directory.
    package static func synchronize(directory: String) throws(SystemError) {
        let descriptor = unsafe open(
            systemPath(directory.isEmpty ? "." : directory), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            // Names may be made in a directory whose listing is forbidden.
            if errno == EACCES { return }
            throw .last
        }
        defer { close(descriptor) }
        try synchronize(descriptor: descriptor)
    }

    /// Waits until what was written is on the disk; does nothing where the file system has none, or the file is not on one.
    package static func synchronize(descriptor: Int32) throws(SystemError) {
        while fsync(descriptor) != 0 {
            switch errno {
            case EINTR: continue
            case EINVAL, ENOTSUP: return
            default: throw .last
            }
        }
    }
}
