import Support

/// The content of one or more archives as one folder of images.
struct ArchiveFolder: ImageFolder {
    /// One of the archives.
    private struct Shard {
        let archive: TarArchive
        /// What the paths of its images begin with.
        let prefix: String
        /// The folder in the archive whose content is taken.
        let top: String
        /// The folder that this content is taken for: that of a part, or "".
        let place: String

        /// The folder in the archive that stands for one of the set; nil where it has none.
        func folder(_ folder: String) -> String? {
            if place.isEmpty { return folder.isEmpty ? top : top.isEmpty ? folder : Files.join(top, folder) }
            if folder.isEmpty || folder == place { return top }
            guard folder.utf8.starts(with: "\(place)/".utf8) else { return nil }
            return Files.join(top, String(Substring(folder.utf8.dropFirst(place.utf8.count + 1))))
        }

        /// The path of a file relative to the set's root.
        func path(_ index: Int) -> String {
            let name = archive.index.name(index)
            return prefix + (top.isEmpty ? name : String(Substring(name.utf8.dropFirst(top.utf8.count + 1))))
        }
    }

    let root: String
    private let shards: [Shard]

    /// A folder of one archive.
    init(of archive: TarArchive, folder: String) {
        self.init(
            root: folder.isEmpty ? archive.path : Files.join(archive.path, folder),
            shards: [Shard(archive: archive, prefix: "", top: folder, place: "")])
    }

    /// All of some archives, each with the part's folder that it lies in, or "".
    ///
    /// A folder that everything in all archives lies in is opened: archives are often made of a folder, and the set is then the
    /// same as in it. Of several archives, those called train…, val… and test… are these parts.
    init(of archives: [(archive: TarArchive, place: String)], in folder: String, requiresLabels: Bool) {
        let top = Self.commonTop(of: archives.map(\.archive), requiresLabels: requiresLabels)
        if archives.count == 1, archives[0].place.isEmpty {
            self = ArchiveFolder(of: archives[0].archive, folder: top)
            return
        }
        let parts = archives.map { Self.part(of: $0.archive.path) }
        let areParts =
            archives.allSatisfy(\.place.isEmpty) && !parts.contains(nil)
            && Set(parts.compactMap { part in DatasetBuilder.partNames.first { $0.name == part }?.part }).count > 1
        let start = folder.isEmpty ? 0 : Files.join(folder, "").utf8.count
        let shards = zip(archives, parts).map { item, part in
            let name = String(Substring(item.archive.path.utf8.dropFirst(start)))
            return Shard(
                archive: item.archive, prefix: Files.join(Files.join(name, top), ""), top: top,
                place: areParts ? part ?? "" : item.place)
        }
        self.init(root: folder, shards: shards.sorted { $0.prefix.precedesBytewise($1.prefix) })
    }

    private init(root: String, shards: [Shard]) { (self.root, self.shards) = (root, shards) }

    /// The part that an archive's name begins with: "train-000.tar"; nil where it begins otherwise.
    private static func part(of path: String) -> String? {
        let stem = Files.name(of: path).utf8.prefix { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
        let name = String(Substring(stem))
        return DatasetBuilder.partNames.contains { $0.name == name } ? name : nil
    }

    /// The deepest folder that holds everything in some archives, and is no part of a set; if labels are required, not one that
    /// may itself be a class.
    private static func commonTop(of archives: [TarArchive], requiresLabels: Bool) -> String {
        var top = ""
        while true {
            let contents = archives.map { $0.index.content(of: top) }
            guard let name = contents.first?.folders.first,
                !DatasetBuilder.partNames.contains(where: { $0.name == name }),
                contents.allSatisfy({ $0.files.isEmpty && $0.folders == [name] })
            else { return top }
            let next = top.isEmpty ? name : Files.join(top, name)
            let mayBeClass = archives.allSatisfy { archive in
                let content = archive.index.content(of: next)
                return content.folders.isEmpty && content.files.allSatisfy { archive.index.isWanted($0) }
            }
            if requiresLabels, mayBeClass { return top }
            top = next
        }
    }

    func subfolders(of folder: String) -> [String] {
        var names: Set<BytewiseText> = []
        for shard in shards {
            if folder.isEmpty, !shard.place.isEmpty {
                names.insert(BytewiseText(shard.place))
            } else if let folder = shard.folder(folder) {
                for name in shard.archive.index.content(of: folder).folders { names.insert(BytewiseText(name)) }
            }
        }
        return names.map(\.text).sorted { $0.precedesBytewise($1) }
    }

    func images(below folder: String) -> FoundImages {
        var found = FoundImages()
        for shard in shards {
            guard let folder = shard.folder(folder) else { continue }
            for index in shard.archive.index.range(below: folder) where shard.archive.index.isWanted(index) {
                if let failure = InputError(ArchiveMember(archive: shard.archive, index: index)) {
                    found.failures.append(failure)
                } else {
                    found.paths.append(shard.path(index))
                }
            }
        }
        return found
    }

    /// A table of a single archive; of several, none is that of all.
    func table(_ name: String, in folder: String) throws(InputError) -> [UInt8]? {
        guard shards.count == 1, let shard = shards.first, let folder = shard.folder(folder),
            let index = shard.archive.index.index(of: Files.join(folder, name))
        else { return nil }
        return try ArchiveMember(archive: shard.archive, index: index).content()
    }

    func labels(below folder: String) throws(InputError) -> [LabeledImage]? {
        var images: [LabeledImage] = []
        for shard in shards {
            guard let folder = shard.folder(folder) else { continue }
            let labels = WebDatasetLabels(shard.archive.index, below: folder)
            // Where the first image has no label beside it, folders are the classes.
            guard try labels.areThere(in: shard.archive) else {
                if images.isEmpty { continue } else { throw labels.missing(in: shard.archive) }
            }
            try labels.forEach(in: shard.archive) { index, label in
                images.append(LabeledImage(path: shard.path(index), label: label))
            }
        }
        return images.isEmpty ? nil : images
    }
}

extension ArchiveMember {
    /// The content of a file that is read whole: a table, a label.
    func content() throws(InputError) -> [UInt8] {
        if let failure = InputError(self) { throw failure }
        do throws(SystemError) {
            return try archive.bytes(of: index)
        } catch {
            throw InputError(error, opening: path, expected: "a file in an archive")
        }
    }
}
