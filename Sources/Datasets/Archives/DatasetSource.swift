import Support

/// Where the images of a data set are.
enum DatasetSource {
    case folder(DiskFolder)
    case archives(ArchiveFolder)
    /// A table in a folder.
    case table(folder: String)

    /// What the paths of images are relative to.
    var root: String {
        switch self {
        case .folder(let folder): folder.root
        case .archives(let folder): folder.root
        case .table(let folder): folder
        }
    }

    var isArchive: Bool { if case .archives = self { true } else { false } }

    private static let expected = "a folder of images, a .tar or a CSV table"

    /// Finds out what `path` stands for.
    init(_ path: String, requiresLabels: Bool, archives: Archives) throws(InputError) {
        let opener = ArchiveOpener(archives: archives, requiresLabels: requiresLabels)
        if path.utf8.first == UInt8(ascii: "@"), path.utf8.count > 1, Files.isMissing(path) {
            self = .archives(try opener.list(String(Substring(path.utf8.dropFirst()))))
            return
        }
        let status: Files.Status
        do {
            status = try Files.status(path)
        } catch {
            if error.isMissing, let folder = try opener.inside(path) {
                self = .archives(folder)
            } else if error.isMissing, let paths = NumberRanges.expanded(path) {
                self = .archives(try opener.folder(ofFiles: paths))
            } else {
                throw InputError(error, opening: path, expected: Self.expected)
            }
            return
        }
        let name = Files.withoutTrailingSlashes(path)
        if status.isDirectory {
            self = try opener.directory(name).map { .archives($0) } ?? .folder(DiskFolder(root: name))
        } else if status.isRegularFile, try opener.isArchive(path) {
            self = .archives(try opener.folder(ofFiles: [path]))
        } else {
            let folder = Files.directory(of: path)
            self = .table(folder: folder.isEmpty ? "." : folder)
        }
    }
}

/// Opens the archives of a data set.
struct ArchiveOpener {
    let archives: Archives
    let requiresLabels: Bool

    private static let expected = "a tar archive"

    /// Whether a regular file is an archive. Throws where it is one of another format.
    func isArchive(_ path: String) throws(InputError) -> Bool {
        let head: [UInt8]
        do throws(SystemError) {
            head = try InputFile(path).read(upTo: ArchiveFormat.byteCount)
        } catch {
            throw InputError(error, opening: path, expected: Self.expected)
        }
        guard case .other(let name) = ArchiveFormat(head) else { return ArchiveFormat(head) == .tar }
        throw .compressed(path, format: name)
    }

    /// The set in some archives.
    func folder(ofFiles paths: [String]) throws(InputError) -> ArchiveFolder {
        try ArchiveFolder(
            of: open(paths.map { (path: $0, place: "") }), in: Self.commonFolder(of: paths),
            requiresLabels: requiresLabels)
    }

    /// The set in the archives of a list, a path or several by ranges of numbers on a line.
    func list(_ file: String) throws(InputError) -> ArchiveFolder {
        let bytes = try InputPaths.bytes(of: file, expected: "a text file with one archive per line")
        let lines = InputPaths.entries(ofList: bytes).map { Files.text(ofName: $0) }
        guard !lines.isEmpty else {
            throw InputError(
                kind: .noImages, path: file, description: "\(file): the list is empty; expected one archive per line")
        }
        return try folder(
            ofFiles: lines.flatMap { line in
                Files.isMissing(line) ? NumberRanges.expanded(line) ?? [line] : [line]
            })
    }

    /// The set in a folder of an archive; nil where the path leads through none.
    func inside(_ path: String) throws(InputError) -> ArchiveFolder? {
        guard let (archive, folder) = archives.find(path) else { return nil }
        try check(archive)
        guard !archive.index.range(below: folder).isEmpty else {
            throw InputError(
                kind: .noSuchInput, path: path, description: "\(path): \(archive.path) holds no such folder")
        }
        return ArchiveFolder(of: archive, folder: folder)
    }

    /// The set in the archives that lie in a directory, or in its folders train, val and test; nil where it holds images or
    /// other folders, or no archives.
    func directory(_ path: String) throws(InputError) -> ArchiveFolder? {
        let parts = Set(DatasetBuilder.partNames.map(\.name))
        guard let top = entries(of: path), parts.isSuperset(of: top.folders) else { return nil }
        var files = top.files.map { (path: $0, place: "") }
        for name in top.folders {
            guard let part = entries(of: Files.join(path, name)), part.folders.isEmpty else { return nil }
            files += part.files.map { (path: $0, place: name) }
        }
        let found = files.filter { isAnyArchive($0.path) }.sorted { $0.path.precedesBytewise($1.path) }
        guard let first = found.first else { return nil }
        if found.count == 1, first.place.isEmpty { return try folder(ofFiles: [first.path]) }
        return try ArchiveFolder(of: open(found), in: path, requiresLabels: requiresLabels)
    }

    /// The files and folders in a directory; nil where it holds images, or a table of them.
    private func entries(of directory: String) -> (files: [String], folders: [String])? {
        var (files, folders): ([String], [String]) = ([], [])
        for entry in (try? Files.entries(of: directory)) ?? [] {
            let path = Files.join(directory, entry.name)
            guard let status = try? Files.status(path) else { continue }
            if status.isDirectory {
                folders.append(entry.name)
            } else if ImageSignature.isImageName(entry.name) || entry.name == DatasetBuilder.metadataName {
                return nil
            } else if status.isRegularFile {
                files.append(path)
            }
        }
        return (files, folders)
    }

    /// Whether a file is an archive, of whatever format.
    private func isAnyArchive(_ path: String) -> Bool {
        guard let head = try? InputFile(path).read(upTo: ArchiveFormat.byteCount) else { return false }
        return ArchiveFormat(head) != nil
    }

    private func open(
        _ files: [(path: String, place: String)]
    ) throws(InputError) -> [(archive: TarArchive, place: String)] {
        var opened: [(archive: TarArchive, place: String)] = []
        var known: Set<BytewiseText> = []
        for (path, place) in files where known.insert(BytewiseText(path)).inserted {
            guard try isArchive(path) else {
                throw .malformed(path, "is no tar archive; expected archives alone, or a folder of images")
            }
            let archive: TarArchive?
            do throws(SystemError) {
                archive = try archives.archive(at: path)
            } catch {
                throw InputError(error, opening: path, expected: Self.expected)
            }
            guard let archive else { continue }
            try check(archive)
            opened.append((archive, place))
        }
        return opened
    }

    /// A set does without no image that it should have: training on a part of it would not be noticed.
    private func check(_ archive: TarArchive) throws(InputError) {
        if let damage = archive.damage { throw InputError(damage) }
    }

    /// The folder that all files lie in; that of one file is the file.
    private static func commonFolder(of paths: [String]) -> String {
        let folders = paths.map { Files.directory(of: $0) }
        guard var common = folders.first else { return "" }
        func holdsAll(_ folder: String) -> Bool {
            folders.allSatisfy { $0.equalsBytewise(folder) || $0.utf8.starts(with: "\(folder)/".utf8) }
        }
        while !common.isEmpty, common != "/", !holdsAll(common) { common = Files.directory(of: common) }
        return common
    }
}
