#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The few questions to the file system that a checkpoint needs answered.
package enum Files {
    /// What a path leads to.
    package enum Sort { case missing, directory, file }

    package static func sort(_ path: String) -> Sort {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return .missing }
        return status.st_mode & S_IFMT == S_IFDIR ? .directory : .file
    }

    /// The size of a file; nil where there is none.
    package static func byteCount(of path: String) -> Int? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? Int(status.st_size) : nil
    }

    /// The names in a directory, sorted; empty where it cannot be read.
    ///
    /// - Parameter hidden: whether names that begin with a dot are among them.
    package static func names(in directory: String, hidden: Bool = false) -> [String] {
        guard let stream = unsafe opendir(directory) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != "..", hidden || !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// The path from the root, links followed; the path as it is where it leads nowhere.
    package static func resolved(_ path: String) -> String {
        guard let resolved = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    package static func join(_ directory: String, _ name: String) -> String {
        directory.isEmpty ? name : directory.hasSuffix("/") ? directory + name : directory + "/" + name
    }

    /// The directory that a file lies in; empty for the current one.
    package static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    package static func name(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }
}

extension JSON {
    /// The JSON value in a file.
    package static func file(_ path: String) throws(CheckpointError) -> JSON {
        let file = try MappedFile(path)
        do throws(JSONError) {
            return try parse(file.bytes.array)
        } catch {
            throw .malformed(path, "is not valid JSON at byte \(error.offset): \(error.reason)")
        }
    }
}
