/// The unfinished files and directories of a run, so that an interrupted one can remove them; also those of earlier runs that
/// were killed.
package final class UnfinishedFiles: Sendable {
    private let paths = Locked<Set<BytewiseText>>([])
    /// What lies unfinished in the directories that were looked at, by what it was to be called. A directory is looked at
    /// once, however many files are written to it.
    private let leftovers = Locked<[BytewiseText: [BytewiseText: [String]]]>([:])

    package init() {}

    /// Removes what killed processes left of the file or directory that will be called `path`.
    package func removeAbandoned(of path: String) throws(FileError) {
        let directory = Files.directory(of: path)
        let name = BytewiseText(Files.name(of: path))
        let found = leftovers.withLock { leftovers in
            let key = BytewiseText(directory)
            var all = leftovers[key] ?? Self.leftovers(in: directory)
            let found = all.removeValue(forKey: name) ?? []
            leftovers[key] = all
            return found
        }
        for name in found { try Files.removeIfAbandoned(Files.join(directory, name)) }
    }

    /// None where the directory cannot be listed: whether it can be written to shows soon.
    private static func leftovers(in directory: String) -> [BytewiseText: [String]] {
        let entries = (try? Files.entries(of: directory.isEmpty ? "." : directory, hidden: true)) ?? []
        return entries.reduce(into: [:]) { leftovers, entry in
            guard let place = PartialName.place(of: entry.name) else { return }
            leftovers[BytewiseText(place), default: []].append(entry.name)
        }
    }

    func insert(_ path: String) { paths.withLock { _ = $0.insert(BytewiseText(path)) } }

    func remove(_ path: String) { paths.withLock { _ = $0.remove(BytewiseText(path)) } }

    /// Deletes them all, for a process that is about to end.
    package func deleteAll() {
        paths.withLock { paths in
            for path in paths.map(\.text) {
                // Until the process ends, another thread may still put files into a directory.
                for _ in 0..<100 where !Files.isMissing(path) { Files.discard(path) }
            }
        }
    }
}
