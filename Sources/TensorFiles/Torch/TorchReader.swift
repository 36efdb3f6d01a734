import Support

/// Reads what `torch.save` writes since version 1.6: a zip with a pickle and one entry a storage.
enum TorchReader {
    /// Real pickles have some hundred kilobytes.
    private static let largestPickle = 64 << 20

    /// Whether an archive is torch's; nil names the folder that all entries lie in.
    static func root(of archive: ZipArchive) -> String? {
        archive.entries.lazy.map(\.name).first { $0.hasSuffix("/data.pkl") }.map { String($0.dropLast(8)) }
    }

    static func read(_ archive: ZipArchive, root: String) throws(FileError) -> TensorFile {
        let path = archive.path
        if archive.entries.contains(where: { $0.name.hasPrefix(root + "code/") }) {
            throw .malformed(
                path, "is a TorchScript program; a file saved with torch.save(model.state_dict(), …) was expected")
        }
        if let order = archive[root + "byteorder"], try order.content().text?.hasPrefix("big") == true {
            throw .malformed(path, "was saved on a big-endian machine; little-endian numbers were expected")
        }
        guard let entry = archive[root + "data.pkl"], entry.size <= largestPickle else {
            throw .malformed(path, "has a pickle larger than any checkpoint's")
        }
        var interpreter = PickleInterpreter(try entry.content())
        let contents: TorchContents
        do throws(PickleError) {
            contents = try TorchContents(&interpreter)
        } catch {
            throw .malformed(path, "has a pickle that cannot be read: \(error.reason)")
        }
        return try file(contents, .archive(archive, root: root))
    }

    /// The tensors of a pickle, with the places of their numbers.
    static func file(_ contents: TorchContents, _ storages: TorchStorages) throws(FileError) -> TensorFile {
        var file = TensorFile(path: storages.path, format: .torch, tensors: [], notes: contents.notes)
        file.summary = contents.summary
        file.unreadable = contents.unreadable.map {
            TensorFile.UnreadableTensor(location: $0.location, name: $0.name, type: $0.value)
        }
        for entry in contents.tensors { file.tensors.append(try storages.tensor(entry)) }
        return file
    }
}
