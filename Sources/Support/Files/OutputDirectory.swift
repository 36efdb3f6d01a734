/// A directory that appears under its name when all its files are whole; abandoned, it leaves nothing.
///
/// The files are written into a directory beside its place, each of them synchronised by who writes it.
package final class OutputDirectory {
    /// What happens to a directory that has the name already.
    package enum Existing {
        /// It is taken only if it is empty.
        case refuse
        /// Files of the same names are replaced, and others stay.
        case merge
        /// It goes, with everything in it.
        case replace
    }

    /// Where to write the files.
    package let unfinishedPath: String
    private let path: String
    private let existing: Existing
    private let unfinished: UnfinishedFiles?
    private let lock: FileLock?
    private var isCommitted = false

    /// Starts a directory that will be called `path`; a signal can remove it through `unfinished`.
    package init(
        _ path: String, existing: Existing, unfinished: UnfinishedFiles? = nil
    ) throws(FileError) {
        let path = Files.withoutTrailingSlashes(path)
        switch try Files.kind(of: path) {
        case .missing: break
        case .file: throw FileError(.cannotCreate, path, "is a file; name a directory")
        case .directory:
            if existing == .refuse, try !Files.names(in: path, hidden: true).isEmpty {
                throw FileError(.cannotCreate, path, "is not empty; name another directory, or add --force")
            }
        }
        self.path = path
        self.existing = existing
        self.unfinished = unfinished
        try unfinished?.removeAbandoned(of: path)
        let parent = Files.directory(of: path)
        if !parent.isEmpty { try Files.makeDirectory(parent) }
        do throws(SystemError) {
            (unfinishedPath, lock) = try PartialName.createDirectory(for: path)
        } catch {
            throw FileError(.cannotCreate, path, "cannot be made", error)
        }
        unfinished?.insert(unfinishedPath)
    }

    /// Writes a whole directory with the files that `fill` makes in it.
    package static func write(
        _ path: String, existing: Existing, _ fill: (_ directory: String) throws -> Void
    ) throws {
        try OutputDirectory(path, existing: existing).write(fill)
    }

    /// Lets `fill` make the files, and commits them. Errors about them name the place where they would have been.
    package func write<Result>(_ fill: (_ directory: String) throws -> Result) throws -> Result {
        let result: Result
        do {
            result = try fill(unfinishedPath)
        } catch let error as FileError {
            throw self.error(error)
        }
        try commit()
        return result
    }

    /// A failure to write a file of the directory, about the place that it was to have.
    private func error(_ error: FileError) -> FileError {
        guard error.path == unfinishedPath || error.path.hasPrefix(unfinishedPath + "/") else { return error }
        return FileError(
            error.kind, path + error.path.dropFirst(unfinishedPath.count),
            error.reason.replacing(unfinishedPath, with: path))
    }

    /// Makes sure that the directory is on the disk and gives it its name.
    package func commit() throws(FileError) {
        do throws(SystemError) {
            try Files.synchronize(directory: unfinishedPath)
        } catch {
            throw FileError(.inputOutput, path, "cannot be written", error)
        }
        switch existing {
        case .replace where try Files.kind(of: path) != .missing: try replace()
        case .merge where try Files.kind(of: path) == .directory: try merge()
        case .replace, .merge, .refuse: try Files.move(unfinishedPath, to: path)
        }
        isCommitted = true
        unfinished?.remove(unfinishedPath)
    }

    /// Takes the place of what is there: at no moment has nothing that name, where the file system can swap two.
    private func replace() throws(FileError) {
        if try Files.exchange(unfinishedPath, with: path) { return try Files.remove(unfinishedPath) }
        // What is replaced leaves its name whole, and goes when the new one has it. The lock keeps others from taking it
        // for what a killed process left.
        let lock = try? FileLock.take(path)
        defer { withExtendedLifetime(lock) {} }
        let replaced = try Files.moveAside(path, .replaced)
        do throws(FileError) {
            try Files.move(unfinishedPath, to: path)
        } catch {
            try? Files.move(replaced, to: path)
            throw error
        }
        try Files.remove(replaced)
    }

    /// Puts the files among those that are there, which nobody else does meanwhile: all or none where the file system can
    /// swap two names, and one by one where it cannot.
    private func merge() throws(FileError) {
        let lock = try lockOfPlace()
        defer { withExtendedLifetime(lock) {} }
        if takeOtherFiles(), try Files.exchange(unfinishedPath, with: path) {
            return try Files.remove(unfinishedPath)
        }
        for name in try Files.names(in: unfinishedPath, hidden: true) {
            try Files.move(Files.join(unfinishedPath, name), to: Files.join(path, name))
        }
        try Files.remove(unfinishedPath)
    }

    /// Nil where the file system has no locks.
    private func lockOfPlace() throws(FileError) -> FileLock? {
        do throws(SystemError) {
            if let lock = try FileLock.take(path) { return lock }
        } catch {
            return nil
        }
        throw FileError(.cannotCreate, path, "is being written by another process; wait for it, or end it")
    }

    /// Gives the files that stay a second name among the new ones; false where not all of them can have one, or where the
    /// place is a link to a directory, which stays one.
    private func takeOtherFiles() -> Bool {
        guard Files.isDirectory(path),
            let ours = try? Files.names(in: unfinishedPath, hidden: true).map(BytewiseText.init),
            let theirs = try? Files.names(in: path, hidden: true)
        else { return false }
        let new = Set(ours)
        for name in theirs where !new.contains(BytewiseText(name)) {
            guard Files.link(Files.join(path, name), as: Files.join(unfinishedPath, name)) else { return false }
        }
        return Files.copyPermissions(of: path, to: unfinishedPath)
    }

    deinit {
        guard !isCommitted else { return }
        Files.discard(unfinishedPath)
        unfinished?.remove(unfinishedPath)
    }
}
