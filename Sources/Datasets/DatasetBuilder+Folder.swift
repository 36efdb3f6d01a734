import Support

extension DatasetBuilder {
    /// Folder names that stand for parts of a set rather than classes.
    private static let partNames: [(name: String, part: Part)] = [
        ("train", .training), ("training", .training), ("val", .validation), ("valid", .validation),
        ("validation", .validation), ("test", .test),
    ]

    /// Reads DATA/CLASS/…, DATA/train/CLASS/… and the like, or, if labels are not required, any folder; labels in a
    /// metadata.csv come before those of folders.
    mutating func readFolder() throws(InputError) {
        let folders = try subfolders(of: root)
        if options.requiresLabels, let table = try metadata(in: root) {
            try readTable(table)
            return
        }
        let parts = Self.partNames.filter { folders.contains($0.name) }
        guard try isSplit(folders: folders, parts: parts) else {
            try readPart(.training, in: root, folders: folders)
            return
        }
        isSplit = parts.contains { $0.part != .training }
        for (name, part) in parts {
            let folder = Files.join(root, name)
            try readPart(part, in: folder, folders: try subfolders(of: folder))
        }
        let others = folders.filter { folder in !parts.contains { $0.name == folder } }
        if !others.isEmpty { notes.append("\(place): beside train, val and test, \(Self.list(others)) is not read") }
    }

    /// Whether the folders are parts rather than classes of those names: "train" occurs with "val" or "test", or there is
    /// nothing else; and, if labels are required, the parts contain folders.
    private func isSplit(folders: [String], parts: [(name: String, part: Part)]) throws(InputError) -> Bool {
        guard !parts.isEmpty else { return false }
        let hasBoth = parts.contains { $0.part == .training } && parts.contains { $0.part != .training }
        guard hasBoth || parts.count == folders.count else { return false }
        guard options.requiresLabels else { return true }
        for (name, _) in parts {
            let folder = Files.join(root, name)
            let hasFolders = try !subfolders(of: folder).isEmpty
            let hasLabels = hasFolders ? true : try metadata(in: folder) != nil
            if !hasLabels { return false }
        }
        return true
    }

    private mutating func readPart(_ part: Part, in folder: String, folders: [String]) throws(InputError) {
        guard options.requiresLabels else {
            append(walk: ImageSignature.walk(folder), to: part, label: nil)
            return
        }
        if let table = try metadata(in: folder) {
            try readTable(table, in: Files.name(of: folder), as: part)
            return
        }
        if folders.isEmpty {
            let hasImages = !ImageSignature.walk(folder).files.isEmpty
            let found = hasImages ? "holds images, but no class folders" : "holds no class folders"
            throw malformed(
                "\(folder): \(found); expected one folder per class, as \(folder)/CLASS/IMAGE",
                kind: hasImages ? .malformed : .noImages)
        }
        for name in folders {
            let path = Files.join(folder, name)
            let walk = ImageSignature.walk(path)
            if walk.files.isEmpty, part != .training {
                // Nothing is missed where a model is measured, and no class is added; a folder that cannot be read is named.
                notes += ["\(path): holds no images"] + walk.failures.map { InputError($0).description }
                continue
            }
            let label = try label(name, part: part, place: path)
            append(walk: walk, to: part, label: label)
        }
        samples[part]?.sort { $0.path.precedesBytewise($1.path) }
    }

    private mutating func append(walk: DirectoryWalk, to part: Part, label: Int?) {
        let prefix = Files.join(root, "").utf8.count
        for image in walk.files {
            // Relative to the root, so that a set can be moved.
            let relative = String(decoding: image.utf8.dropFirst(prefix), as: UTF8.self)
            append(Sample(path: relative, label: label), to: part)
        }
        notes += walk.failures.map { InputError($0).description }
    }

    /// The names of the folders in a folder, sorted bytewise, following links and skipping hidden ones.
    private func subfolders(of folder: String) throws(InputError) -> [String] {
        let entries: [Files.Entry]
        do throws(SystemError) {
            entries = try Files.entries(of: folder)
        } catch {
            throw InputError(error, opening: folder, expected: "a folder of images")
        }
        var names: [String] = []
        for entry in entries {
            switch entry.kind {
            case .directory: names.append(entry.name)
            case .link, .unknown:
                let path = Files.join(folder, entry.name)
                do throws(FileError) {
                    if try Files.kind(of: path) == .directory { names.append(entry.name) }
                } catch {
                    throw InputError(error)
                }
            case .file, .other: break
            }
        }
        return names.sorted { $0.precedesBytewise($1) }
    }
}
