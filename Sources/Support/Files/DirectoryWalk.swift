import LibC

/// The files below a directory that are wanted, sorted by path in the order of its bytes as they are written.
///
/// Hidden files and directories are left out, links are followed, and a directory that several links lead to is walked
/// once (under its own name if that lies below the root), so that loops end.
package struct DirectoryWalk {
    /// What could not be looked at, and why.
    package struct Failure {
        package let path: String
        package let reason: String
    }

    /// Paths that begin with the root as it was given.
    package private(set) var files: [String] = []
    /// Files and directories that could not be looked at.
    package private(set) var failures: [Failure] = []

    private let wantsName: (String) -> Bool
    private let wantsFile: (String) throws(SystemError) -> Bool
    private var visited: Set<Files.Identity> = []
    private var directories: [String] = []
    /// Links to directories wait until all real ones are done: a real name wins over a link's.
    private var links: [String] = []

    /// Walks all of `root`.
    ///
    /// - Parameters:
    ///   - named: whether the name of a file alone decides that it is wanted.
    ///   - path: whether another file is wanted, by its content.
    package init(
        root: String, named wantsName: @escaping (_ name: String) -> Bool,
        or wantsFile: @escaping (_ path: String) throws(SystemError) -> Bool
    ) {
        self.wantsName = wantsName
        self.wantsFile = wantsFile
        directories = [Files.withoutTrailingSlashes(root)]
        while true {
            if let directory = directories.popLast() {
                walk(directory)
            } else if !links.isEmpty {
                links.sort { $1.precedesBytewise($0) }
                directories.append(links.removeLast())
            } else {
                break
            }
        }
        files.sort { $0.precedesBytewise($1) }
        failures.sort { $0.path.precedesBytewise($1.path) }
    }

    private mutating func walk(_ directory: String) {
        do throws(SystemError) {
            guard visited.insert(try Files.status(directory).identity).inserted else { return }
            for entry in try Files.entries(of: directory) {
                visit(Files.join(directory, entry.name), name: entry.name, kind: entry.kind)
            }
        } catch {
            failures.append(Failure(path: directory, reason: error.clause))
        }
    }

    private mutating func visit(_ path: String, name: String, kind: Files.EntryKind) {
        switch kind {
        case .directory: directories.append(path)
        case .file: visitFile(path, name: name)
        case .link, .unknown:
            do throws(SystemError) {
                let status = try Files.status(path)
                if status.isDirectory {
                    if kind == .link { links.append(path) } else { directories.append(path) }
                } else if status.isRegularFile {
                    visitFile(path, name: name)
                }
            } catch {
                // A link that leads nowhere, or to itself, is of no interest; of another failure, nobody knows.
                let isNothing = error.isMissing && !error.isTooLong || error.code == ELOOP
                if wantsName(name) || !isNothing { failures.append(Failure(path: path, reason: error.clause)) }
            }
        case .other: break
        }
    }

    private mutating func visitFile(_ path: String, name: String) {
        do throws(SystemError) {
            let isWanted = wantsName(name) ? true : try wantsFile(path)
            if isWanted { files.append(path) }
        } catch {
            failures.append(Failure(path: path, reason: error.clause))
        }
    }
}
