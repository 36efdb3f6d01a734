import LibC

/// The names of what is written or removed in part: hidden, beside its place, `.NAME.PID.partial`; and of what is whole, but
/// makes room for what replaces it: `.NAME.PID.replaced`.
///
/// Whoever writes it holds a lock on it. So what a killed process left is known, by whatever process number and on whatever
/// machine it ran, and the next writer removes it, or puts it back where nothing has replaced it.
enum PartialName {
    /// What a name says of that which has it.
    enum Suffix: String, CaseIterable {
        case partial = ".partial"
        case replaced = ".replaced"
    }

    /// A name beside `path`; the first of a process, the second, ….
    static func path(for path: String, number: Int, _ suffix: Suffix = .partial) -> String {
        let more = number > 1 ? "-\(number)" : ""
        return Files.join(
            Files.directory(of: path), ".\(Files.name(of: path)).\(getpid())\(more)\(suffix.rawValue)")
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
        guard let suffix = suffix(of: name) else { return nil }
        let parts = name.utf8.dropFirst().dropLast(suffix.rawValue.utf8.count)
        guard let dot = parts.lastIndex(of: UInt8(ascii: ".")) else { return nil }
        let number = parts[parts.index(after: dot)...]
        let isNumber = number.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }
        return isNumber && !number.isEmpty ? String(Substring(parts[..<dot])) : nil
    }

    /// What a name ends in; nil where it is another one's.
    static func suffix(of name: String) -> Suffix? {
        guard name.utf8.first == UInt8(ascii: ".") else { return nil }
        return Suffix.allCases.first { name.utf8.suffix($0.rawValue.utf8.count).elementsEqual($0.rawValue.utf8) }
    }
}

extension Files {
    /// Removes what processes that were killed left unfinished in a directory.
    package static func removeAbandoned(in directory: String) throws(FileError) {
        for name in try names(in: directory, hidden: true) where PartialName.suffix(of: name) != nil {
            try removeIfAbandoned(join(directory, name))
        }
    }

    /// Removes something unfinished unless a process holds it; puts back what was to be replaced, and was not.
    static func removeIfAbandoned(_ path: String) throws(FileError) {
        // Without its lock, as where the file system has none, nobody knows whose it is.
        guard let lock = try? FileLock.take(path) else { return }
        defer { withExtendedLifetime(lock) {} }
        let name = name(of: path)
        if PartialName.suffix(of: name) == .replaced, let place = PartialName.place(of: name) {
            let place = join(directory(of: path), place)
            if isMissing(place) { return try move(path, to: place) }
        }
        try remove(path)
    }

    /// Removes a directory, if there is one, so that no part of it is ever left under its name.
    package static func removeWhole(_ path: String) throws(FileError) {
        guard try kind(of: path) != .missing else { return }
        try remove(moveAside(path))
    }

    /// Gives something that is to be removed a name that says so.
    package static func moveAside(_ path: String) throws(FileError) -> String { try moveAside(path, .partial) }

    /// Gives something a hidden name beside its own.
    static func moveAside(_ path: String, _ suffix: PartialName.Suffix) throws(FileError) -> String {
        var number = 1
        while !isMissing(PartialName.path(for: path, number: number, suffix)) { number += 1 }
        let aside = PartialName.path(for: path, number: number, suffix)
        try move(path, to: aside)
        return aside
    }
}
