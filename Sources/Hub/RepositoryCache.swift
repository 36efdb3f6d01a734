import LibC
import Support

/// A model's folder in the cache, as Python's `huggingface_hub` lays it out: files by their content in `blobs`, a directory of
/// links to them for each commit in `snapshots`, and which commit a branch was at in `refs`.
struct RepositoryCache {
    /// The directory of the whole cache.
    let cache: String
    private let name: String
    private var path: String { Files.join(cache, name) }

    private static let prefix = "models"
    private static let separator = "--"

    init(_ reference: HubReference, in cache: String) {
        self.cache = cache
        let words = [Self.prefix] + (reference.owner.map { [$0] } ?? []) + [reference.name]
        name = words.joined(separator: Self.separator)
    }

    /// The model that a folder of the cache is of; nil for other folders.
    static func model(ofFolder name: String) -> (owner: String?, name: String)? {
        guard name.hasPrefix(prefix + separator) else { return nil }
        let rest = name.dropFirst(prefix.count + separator.count)
        guard let range = rest.firstRange(of: separator) else {
            return HubReference.isName(rest) ? (nil, String(rest)) : nil
        }
        let (owner, own) = (rest[..<range.lowerBound], rest[range.upperBound...])
        return HubReference.isName(owner) && HubReference.isName(own) ? (String(owner), String(own)) : nil
    }

    // MARK: Places

    func snapshot(_ commit: String) -> String { Files.join(Files.join(path, "snapshots"), commit) }

    func blob(_ etag: String) -> String { Files.join(Files.join(path, "blobs"), etag) }

    /// What holds a lock while the content is fetched, for Python too.
    func lock(_ etag: String) -> String {
        Files.join(Files.join(Files.join(cache, ".locks"), name), etag + ".lock")
    }

    private func reference(_ revision: String) -> String { Files.join(Files.join(path, "refs"), revision) }

    /// Where it is noted that a commit has no such file.
    private func absence(of file: String, _ commit: String) -> String {
        Files.join(Files.join(Files.join(path, ".no_exist"), commit), file)
    }

    // MARK: Reading

    /// The commit that a revision was at when it was fetched last; nil where that is unknown.
    func commit(of revision: String) throws(HubError) -> String? {
        if HubReference.isCommit(revision) { return revision }
        let path = reference(revision)
        guard try HubError.onFiles({ () throws(FileError) in try Files.kind(of: path) }) == .file else { return nil }
        let bytes = try HubError.onFiles { () throws(FileError) in
            try Files.content(of: path, expected: "a commit of 40 hexadecimal digits")
        }
        let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
        guard HubReference.isCommit(text) else {
            throw HubError(.malformed, path, "holds no commit; 40 hexadecimal digits were expected")
        }
        return text
    }

    /// Whether it is known that a commit has no such file.
    func isAbsent(_ file: String, _ commit: String) -> Bool { !Files.isMissing(absence(of: file, commit)) }

    /// The revisions that are known by name, with their commits, and the commits that no name leads to.
    func revisions() throws(HubError) -> [(revision: String, commit: String)] {
        var found: [(revision: String, commit: String)] = []
        for revision in try names(in: Files.join(path, "refs"), depth: 4) {
            guard let commit = try? commit(of: revision), !Files.isMissing(snapshot(commit)) else { continue }
            found.append((revision, commit))
        }
        let commits = try HubError.onFiles { () throws(FileError) in try Files.names(in: Files.join(path, "snapshots"))
        }
        for commit in commits where HubReference.isCommit(commit) && !found.contains(where: { $0.commit == commit }) {
            found.append((commit, commit))
        }
        return found
    }

    private func names(in directory: String, depth: Int) throws(HubError) -> [String] {
        var paths: [String] = []
        for name in try HubError.onFiles({ () throws(FileError) in try Files.names(in: directory) }) {
            let path = Files.join(directory, name)
            if (try? Files.kind(of: path)) == .directory {
                if depth > 0 { paths += try names(in: path, depth: depth - 1).map { Files.join(name, $0) } }
            } else {
                paths.append(name)
            }
        }
        return paths
    }

    // MARK: Writing

    /// Makes the directories that files of a commit are put in.
    func makeDirectories(_ commit: String) throws(HubError) {
        for directory in [Files.join(path, "blobs"), snapshot(commit), Files.directory(of: lock(""))] {
            try HubError.onFiles { () throws(FileError) in try Files.makeDirectory(directory) }
        }
    }

    /// Lets a commit have a file whose content is in the cache.
    func link(_ file: String, of commit: String, toBlob etag: String) throws(HubError) {
        let place = Files.join(snapshot(commit), file)
        do throws(SystemError) {
            try Files.link(place, to: "../../blobs/\(etag)")
        } catch {
            guard [EPERM, ENOTSUP, ENOSYS].contains(error.code) else {
                throw HubError(FileError(.cannotCreate, place, "cannot be made", error))
            }
            // Without links, the file itself lies there, as with Python.
            try HubError.onFiles { () throws(FileError) in try Files.move(blob(etag), to: place) }
        }
    }

    /// Notes that a commit has no such file; nothing depends on it but whether it is asked for again.
    func noteAbsence(of file: String, _ commit: String) {
        let path = absence(of: file, commit)
        guard (try? Files.makeDirectory(Files.directory(of: path))) != nil else { return }
        try? Files.write([UInt8](), to: path)
    }

    /// Notes the commit that a revision is at; to be done when all files are there.
    func note(_ revision: String, isAt commit: String) throws(HubError) {
        guard revision != commit, (try? self.commit(of: revision)) != commit else { return }
        let path = reference(revision)
        try HubError.onFiles { () throws(FileError) in
            try Files.makeDirectory(Files.directory(of: path))
            try Files.write(commit, to: path)
        }
    }
}
