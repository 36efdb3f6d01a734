import Synchronization

/// The unfinished files and directories of a run, so that an interrupted one can remove them.
package final class UnfinishedFiles: Sendable {
    private let paths = Mutex<Set<BytewiseText>>([])

    package init() {}

    func insert(_ path: String) { paths.withLock { _ = $0.insert(BytewiseText(path)) } }

    func remove(_ path: String) { paths.withLock { _ = $0.remove(BytewiseText(path)) } }

    /// Deletes them all, for a process that is about to end.
    package func deleteAll() {
        paths.withLock { paths in
            for path in paths.map(\.text) {
                // Until the process ends, another thread may still put files into a directory.
                for _ in 0..<100 where Files.kind(of: path) != .missing { Files.remove(path) }
            }
        }
    }
}
