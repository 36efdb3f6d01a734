import Support

extension DatasetBuilder {
    /// Folder names that stand for parts of a set rather than classes.
    static let partNames: [(name: String, part: Part)] = [
        ("train", .training), ("training", .training), ("val", .validation), ("valid", .validation),
        ("validation", .validation), ("test", .test),
    ]

    /// Reads DATA/CLASS/…, DATA/train/CLASS/… and the like, or, if labels are not required, any folder; labels in a
    /// metadata.csv, or beside the images of an archive, come before those of folders.
    mutating func readFolder(_ source: some ImageFolder) throws(InputError) {
        notes += source.notes
        let folders = try source.subfolders(of: "")
        if options.requiresLabels, let table = try metadata(in: "", of: source) {
            try readTable(table, of: Files.join(source.root, Self.metadataName))
            return
        }
        let parts = Self.partNames.filter { folders.contains($0.name) }
        guard try isSplit(source, folders: folders, parts: parts) else {
            try readPart(.training, in: "", of: source, folders: folders)
            return
        }
        isSplit = parts.contains { $0.part != .training }
        for (name, part) in parts {
            try readPart(part, in: name, of: source, folders: try source.subfolders(of: name))
        }
        let others = folders.filter { folder in !parts.contains { $0.name == folder } }
        if !others.isEmpty { notes.append("\(place): beside train, val and test, \(Self.list(others)) is not read") }
    }

    /// Whether the folders are parts rather than classes of those names: "train" occurs with "val" or "test", or there is
    /// nothing else; and, if labels are required, the parts contain folders or other labels.
    private func isSplit(
        _ source: some ImageFolder, folders: [String], parts: [(name: String, part: Part)]
    ) throws(InputError) -> Bool {
        guard !parts.isEmpty else { return false }
        let hasBoth = parts.contains { $0.part == .training } && parts.contains { $0.part != .training }
        guard hasBoth || parts.count == folders.count else { return false }
        guard options.requiresLabels else { return true }
        for (name, _) in parts {
            let hasFolders = try !source.subfolders(of: name).isEmpty
            let hasTable = hasFolders ? true : try metadata(in: name, of: source) != nil
            let hasLabels = hasTable ? true : try source.labels(below: name) != nil
            if !hasLabels { return false }
        }
        return true
    }

    private mutating func readPart(
        _ part: Part, in folder: String, of source: some ImageFolder, folders: [String]
    ) throws(InputError) {
        guard options.requiresLabels else {
            append(source.images(below: folder), to: part, label: nil)
            return
        }
        if let table = try metadata(in: folder, of: source) {
            try readTable(table, of: Files.join(source.place(folder), Self.metadataName), in: folder, as: part)
            return
        }
        if let images = try source.labels(below: folder) {
            for image in images {
                let label = try label(image.label, part: part, place: Files.join(source.root, image.path))
                append(Sample(path: image.path, label: label), to: part)
            }
            return
        }
        if folders.isEmpty {
            let hasImages = !source.images(below: folder).paths.isEmpty
            let found = hasImages ? "holds images, but no class folders" : "holds no class folders"
            let place = source.place(folder)
            throw malformed(
                "\(place): \(found); expected one folder per class, as \(place)/CLASS/IMAGE",
                kind: hasImages ? .malformed : .noImages)
        }
        for name in folders {
            let folder = Files.join(folder, name)
            let (images, place) = (source.images(below: folder), source.place(folder))
            if images.paths.isEmpty, part != .training {
                // Nothing is missed where a model is measured, and no class is added; a folder that cannot be read is named.
                notes += ["\(place): holds no images"] + images.failures.map(\.description)
                continue
            }
            let label = try label(name, part: part, place: place)
            append(images, to: part, label: label)
        }
        samples[part]?.sort { $0.path.precedesBytewise($1.path) }
    }

    private mutating func append(_ images: FoundImages, to part: Part, label: Int?) {
        for path in images.paths { append(Sample(path: path, label: label), to: part) }
        notes += images.failures.map(\.description)
    }
}
