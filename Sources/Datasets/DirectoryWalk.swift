/// The image files below a directory, sorted by path in the order of their bytes.
///
/// Hidden files and directories are left out, links are followed, and a directory that several links lead to is walked
/// once (under its own name if that lies below the root), so that loops end. `ImageSignature` says what counts as an
/// image.
struct DirectoryWalk {
    /// Paths that begin with the root as it was given.
    private(set) var images: [String] = []
    /// Files and directories that could not be looked at.
    private(set) var failures: [InputError] = []

    private var visited: Set<FileSystem.Identity> = []
    private var directories: [String] = []
    /// Links to directories wait until all real ones are done: a real name wins over a link's.
    private var links: [String] = []

    init(root: String) {
        directories = [FileSystem.withoutTrailingSlashes(root)]
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
        images.sort { $0.precedesBytewise($1) }
        failures.sort { $0.path.precedesBytewise($1.path) }
    }

    private mutating func walk(_ directory: String) {
        do {
            guard visited.insert(try FileSystem.status(directory).identity).inserted else { return }
            for entry in try FileSystem.entries(of: directory) {
                let path = FileSystem.join(directory, entry.name)
                if entry.isUTF8 {
                    visit(path, name: entry.name, kind: entry.kind)
                } else if entry.kind == .directory || ImageSignature.isImageName(entry.name) {
                    fail(path, "its name is not UTF-8; rename it")
                }
            }
        } catch {
            fail(directory, error.description)
        }
    }

    private mutating func visit(_ path: String, name: String, kind: FileSystem.EntryKind) {
        switch kind {
        case .directory: directories.append(path)
        case .file: visitFile(path, name: name)
        case .link, .unknown:
            do {
                let status = try FileSystem.status(path)
                if status.isDirectory {
                    if kind == .link { links.append(path) } else { directories.append(path) }
                } else if status.isRegularFile {
                    visitFile(path, name: name)
                }
            } catch {
                if ImageSignature.isImageName(name) { fail(path, error.description) }
            }
        case .other: break
        }
    }

    private mutating func visitFile(_ path: String, name: String) {
        if ImageSignature.isImageName(name) {
            images.append(path)
        } else if let head = try? FileSystem.bytes(of: path, limit: ImageSignature.byteCount),
            ImageSignature.matches(head)
        {
            images.append(path)
        }
    }

    private mutating func fail(_ path: String, _ reason: String) {
        failures.append(
            InputError(kind: .unreadable, path: path, description: "\(path): cannot be read: \(reason)"))
    }
}
