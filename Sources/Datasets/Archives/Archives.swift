import LibC
import Support

/// The tar archives that a command has opened, by their paths. A path that leads through one of them names a member of it.
package final class Archives: Sendable {
    /// The archives; nil for files that are none.
    private let known = Locked<[BytewiseText: TarArchive?]>([:])
    private let cache: TarIndexCache?

    /// As many are kept open between reads; a process may have a thousand files.
    private static let openLimit = 128

    /// - Parameter cache: where indexes of archives are kept; nil: nowhere.
    package init(cache: TarIndexCache? = .ofUser()) { self.cache = cache }

    /// Whether none is open.
    var isEmpty: Bool { known.withLock { $0.isEmpty } }

    /// The archive in the file at `path`; nil where it is none, by its content.
    package func archive(at path: String) throws(SystemError) -> TarArchive? {
        let key = BytewiseText(path)
        let earlier = known.withLock { (found: $0[key], count: $0.count) }
        if let found = earlier.found { return found }
        var archive: TarArchive?
        if TarArchive.begins(try InputFile(path).read(upTo: TarArchive.headCount)) {
            archive = try TarArchive(
                path, selecting: ImageSignature.selection, cache: cache, staysOpen: earlier.count < Self.openLimit)
        }
        known.withLock { $0[key] = archive }
        return archive
    }

    /// The member of an archive that was opened before; nil where `path` leads through none, or it has no such member.
    func member(_ path: String) -> ArchiveMember? {
        let known = known.withLock { $0 }
        guard !known.isEmpty else { return nil }
        for slash in path.utf8.indices where path.utf8[slash] == UInt8(ascii: "/") {
            guard let archive = known[BytewiseText(String(path[..<slash]))] ?? nil else { continue }
            let name = String(path[path.utf8.index(after: slash)...])
            return archive.index.index(of: name).map { ArchiveMember(archive: archive, index: $0) }
        }
        return nil
    }

    /// The archive that a path leads through, and what follows its own path; nil where it leads through none.
    ///
    /// Only a path under which the system finds nothing can lead through one.
    func find(_ path: String) -> (archive: TarArchive, name: String)? {
        let path = Files.withoutTrailingSlashes(path)
        var end = path.utf8.endIndex
        while let slash = path.utf8[..<end].lastIndex(of: UInt8(ascii: "/")), slash > path.utf8.startIndex {
            let place = String(path[..<slash])
            if let status = try? Files.status(place) {
                guard status.isRegularFile, let archive = (try? archive(at: place)) ?? nil else { return nil }
                return (archive, String(path[path.utf8.index(after: slash)...]))
            }
            end = slash
        }
        return nil
    }

    /// The member that a path leads to, through archives opened before or not.
    func findMember(_ path: String) -> ArchiveMember? {
        if let member = member(path) { return member }
        guard let (archive, name) = find(path), let index = archive.index.index(of: name) else { return nil }
        return ArchiveMember(archive: archive, index: index)
    }

    /// What lies under a path, in the file system or in an archive.
    package func input(_ path: String) -> InputPaths.Input {
        if let member = member(path) { return .member(member) }
        return Files.isMissing(path) ? findMember(path).map { .member($0) } ?? .file(path) : .file(path)
    }

    /// The path from the root, links in the file system followed; the path as it is where it leads nowhere.
    package func resolved(_ path: String) throws(FileError) -> String {
        guard Files.isMissing(path), let (archive, name) = find(path) else { return try Files.resolved(path) }
        return Files.join(try Files.resolved(archive.path), name)
    }
}
