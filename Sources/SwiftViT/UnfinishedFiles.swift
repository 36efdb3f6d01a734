import Checkpoints
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The unfinished files and directories of a run, so that an interrupted one can remove them.
package final class UnfinishedFiles: Sendable {
    private let paths = Mutex<Set<String>>([])

    package init() {}

    package func insert(_ path: String) { paths.withLock { _ = $0.insert(path) } }

    package func remove(_ path: String) { paths.withLock { _ = $0.remove(path) } }

    /// Deletes one, a directory with the files in it.
    package func delete(_ path: String) {
        Self.delete(path)
        remove(path)
    }

    /// Deletes them all; for a process that is about to end.
    package func deleteAll() {
        paths.withLock { for path in $0 { Self.delete(path) } }
    }

    private static func delete(_ path: String) {
        if Files.sort(path) == .directory {
            for name in Files.names(in: path) { unsafe _ = unlink(Files.join(path, name)) }
            unsafe _ = rmdir(path)
        } else {
            unsafe _ = unlink(path)
        }
    }
}
