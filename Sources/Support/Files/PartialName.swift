import LibC

/// The names of what is written or removed in part: hidden, beside its place, `.NAME.PID.partial`.
///
/// Whoever writes it holds a lock on it. So what a killed process left is known, by whatever process number and on whatever
/// machine it ran, and the next writer removes it.
enum PartialName {
    /// A name beside `path` that nothing has yet; the first of a process, the second, ….
    static func path(for path: String, number: Int) -> String {
        let more = number > 1 ? "-\(number)" : ""
        return Files.join(Files.directory(of: path), ".\(Files.name(of: path)).\(getpid())\(more)\(suffix)")
    }

    /// Makes and locks a file beside `path`.
    static func createFile(for path: String) throws(SystemError) -> (path: String, descriptor: Int32) {
        var number = 1
        while true {
            let partialPath = self.path(for: path, number: number)
            let descriptor = unsafe open(
                Files.systemPath(partialPath), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if descriptor >= 0 {
                // Where the file system has no locks, nothing is taken for abandoned.
                flock(descriptor, LOCK_EX)
                var status = stat()
                if unsafe fstat(descriptor, &status) != 0 || status.st_nlink > 0 { return (partialPath, descriptor) }
                // Before it was locked, another process took it for abandoned.
                close(descriptor)
            } else if errno != EEXIST {
                throw .last
            }
            number += 1
        }
    }

    /// Makes and locks a directory beside `path`.
    static func createDirectory(for path: String) throws(SystemError) -> (path: String, lock: FileLock?) {
        var number = 1
        while true {
            let partialPath = self.path(for: path, number: number)
            if unsafe mkdir(Files.systemPath(partialPath), 0o777) == 0 {
                let lock = try? FileLock.take(partialPath)
                if !Files.isMissing(partialPath) { return (partialPath, lock) }
            } else if errno != EEXIST {
                throw .last
            }
            number += 1
        }
    }

    /// What the finished file or directory is to be called; nil where the name is another one's.
    static func place(of name: String) -> String? {
        guard isPartial(name) else { return nil }
        let parts = name.utf8.dropFirst().dropLast(suffix.utf8.count)
        guard let dot = parts.lastIndex(of: UInt8(ascii: ".")) else { return nil }
        let number = parts[parts.index(after: dot)...]
        let isNumber = number.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }
        return isNumber && !number.isEmpty ? String(Substring(parts[..<dot])) : nil
    }

    static func isPartial(_ name: String) -> Bool {
        name.utf8.first == UInt8(ascii: ".") && name.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }

    private static let suffix = ".partial"
}

extension Files {
    /// Removes what processes that were killed left unfinished in a directory.
    package static func removeAbandoned(in directory: String) throws(FileError) {
        for name in try names(in: directory, hidden: true) where PartialName.isPartial(name) {
            try removeIfAbandoned(join(directory, name))
        }
    }

    /// Removes something unfinished unless a process holds it.
    static func removeIfAbandoned(_ path: String) throws(FileError) {
        // Without its lock, as where the file system has none, nobody knows whose it is.
        guard let lock = try? FileLock.take(path) else { return }
        try remove(path)
        withExtendedLifetime(lock) {}
    }

    /// Removes a directory, if there is one, so that no part of it is ever left under its name.
    package static func removeWhole(_ path: String) throws(FileError) {
        guard try kind(of: path) != .missing else { return }
        try remove(moveAside(path))
    }

    /// Gives something that is to be removed a name that says so.
    package static func moveAside(_ path: String) throws(FileError) -> String {
        var number = 1
        while !isMissing(PartialName.path(for: path, number: number)) { number += 1 }
        let aside = PartialName.path(for: path, number: number)
        try move(path, to: aside)
        return aside
    }
}
