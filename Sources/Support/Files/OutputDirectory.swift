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
    private var isCommitted = false

    /// Starts a directory that will be called `path`; a signal can remove it through `unfinished`.
    package init(
        _ path: String, existing: Existing, unfinished: UnfinishedFiles? = nil
    ) throws(FileError) {
        let path = Files.withoutTrailingSlashes(path)
        switch Files.kind(of: path) {
        case .missing: break
        case .file: throw FileError(.cannotCreate, path, "is a file; name a directory")
        case .directory:
            if existing == .refuse, (try? Files.entries(of: path, hidden: true).isEmpty) != true {
                throw FileError(.cannotCreate, path, "is not empty; name another directory, or add --force")
            }
        }
        self.path = path
        self.existing = existing
        self.unfinished = unfinished
        unfinishedPath = OutputFile.partialPath(for: path)
        unfinished?.insert(unfinishedPath)
        do throws(FileError) {
            try Files.makeDirectory(unfinishedPath)
        } catch {
            unfinished?.remove(unfinishedPath)
            throw error.renamed(unfinishedPath, to: path)
        }
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
            throw error.renamed(unfinishedPath, to: path)
        }
        try commit()
        return result
    }

    /// Makes sure that the directory is on the disk and gives it its name.
    package func commit() throws(FileError) {
        Files.synchronize(directory: unfinishedPath)
        if existing == .replace { Files.remove(path) }
        do throws(SystemError) {
            try Files.move(unfinishedPath, to: path)
        } catch {
            guard existing == .merge, Files.kind(of: path) == .directory else {
                throw FileError(.cannotCreate, path, "cannot be put in its place", error)
            }
            try moveFiles()
        }
        isCommitted = true
        unfinished?.remove(unfinishedPath)
    }

    private func moveFiles() throws(FileError) {
        for name in Files.names(in: unfinishedPath, hidden: true) {
            let place = Files.join(path, name)
            do throws(SystemError) {
                try Files.move(Files.join(unfinishedPath, name), to: place)
            } catch {
                throw FileError(.cannotCreate, place, "cannot be created", error)
            }
        }
        Files.remove(unfinishedPath)
    }

    deinit {
        guard !isCommitted else { return }
        Files.remove(unfinishedPath)
        unfinished?.remove(unfinishedPath)
    }
}

extension FileError {
    /// The same of a file in another directory, where it lies in `directory` or is that.
    fileprivate func renamed(_ directory: String, to other: String) -> FileError {
        guard path == directory || path.hasPrefix(directory + "/") else { return self }
        return FileError(kind, other + path.dropFirst(directory.count), reason.replacing(directory, with: other))
    }
}
