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
        defer { unsafe closedir(stream) }
        var entries: [Entry] = []
        while let entry = unsafe readdir(stream) {
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
        return entries
    }

    /// The names in a directory, sorted; empty where it cannot be read.
    ///
    /// - Parameter hidden: whether to include names that begin with a dot.
    package static func names(in directory: String, hidden: Bool = false) -> [String] {
        ((try? entries(of: directory, hidden: hidden)) ?? []).map(\.name).sorted()
    }

    /// Makes a directory, and those that it lies in.
    package static func makeDirectory(_ path: String) throws(FileError) {
        switch kind(of: path) {
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

    /// Removes a file, or a directory with everything in it; links are not followed.
    package static func remove(_ path: String) {
        if unsafe unlink(systemPath(path)) == 0 { return }
        for name in names(in: path, hidden: true) { remove(join(path, name)) }
        unsafe _ = rmdir(systemPath(path))
    }

    /// Gives a file or directory that is on the disk another name, in place of what has that name, and makes it last.
    package static func move(_ path: String, to newPath: String) throws(SystemError) {
        guard unsafe rename(systemPath(path), systemPath(newPath)) == 0 else { throw .last }
        synchronize(directory: directory(of: newPath))
    }

    /// Waits until the names in a directory are on the disk; empty means the current directory.
    static func synchronize(directory: String) {
        let descriptor = unsafe open(
            systemPath(directory.isEmpty ? "." : directory), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
