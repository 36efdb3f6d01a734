import Checkpoints

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A directory of files that appears under its name when all of them are whole.
///
/// The files are written into a directory beside its place. Dropped before `commit`, it leaves nothing behind.
package final class OutputDirectory {
    /// Where to write the files.
    package let unfinishedPath: String
    private let path: String
    private let unfinished: UnfinishedFiles
    private var isCommitted = false

    /// Starts a directory that will be called `path`; one that holds files already is only taken if `replacing`, and
    /// then files of the same names are replaced and others stay.
    package init(_ path: String, replacing: Bool, unfinished: UnfinishedFiles) throws {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        switch Files.sort(path) {
        case .missing: break
        case .file: throw OutputError.cannotCreate(path, "is a file; name a directory")
        case .directory:
            if !replacing && !Self.isEmpty(path) {
                throw OutputError.cannotCreate(path, "is not empty; name another directory, or add --force")
            }
        }
        self.path = path
        self.unfinished = unfinished
        unfinishedPath = "\(path).\(getpid()).partial"
        unfinished.insert(unfinishedPath)
        try Files.makeDirectory(unfinishedPath)
    }

    private static func isEmpty(_ directory: String) -> Bool {
        guard let stream = unsafe opendir(directory) else { return false }
        defer { unsafe closedir(stream) }
        var count = 0
        while unsafe readdir(stream) != nil { count += 1 }
        return count <= 2  // "." and ".."
    }

    /// Puts the directory in its place.
    package func commit() throws(OutputError) {
        if unsafe rename(unfinishedPath, path) != 0 {
            for name in Files.names(in: unfinishedPath) {
                guard unsafe rename(Files.join(unfinishedPath, name), Files.join(path, name)) == 0 else {
                    throw .last(Files.join(path, name), "cannot be created", isCreation: true)
                }
            }
            unsafe _ = rmdir(unfinishedPath)
        }
        isCommitted = true
        unfinished.remove(unfinishedPath)
    }

    deinit {
        if !isCommitted { unfinished.delete(unfinishedPath) }
    }
}
