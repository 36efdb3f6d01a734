import Support

/// Reads what `torch.save` writes since version 1.6: a zip with a pickle and one entry a storage.
enum TorchReader {
    /// Real pickles have some hundred kilobytes.
    private static let largestPickle = 64 << 20
    /// Where training scripts keep the weights in their outermost dictionary, the averaged ones first, as timm does.
    private static let wrappers = ["state_dict_ema", "model_ema", "state_dict", "model", "teacher", "module"]

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
        let top: PickleValue.Reference
        do throws(PickleError) {
            top = try interpreter.run()
        } catch {
            throw .malformed(path, "has a pickle that cannot be read: \(error.reason)")
        }
        return try weights(interpreter.heap, top, archive, root: root)
    }

    private static func weights(
        _ heap: [PickleValue], _ top: PickleValue.Reference, _ archive: ZipArchive, root: String
    ) throws(FileError) -> TensorFile {
        guard var members = dictionary(heap, top) else {
            throw .malformed(
                archive.path, "holds no dictionary of tensors; torch.save(model.state_dict(), …) makes one")
        }
        let notes = notes(heap, members)
        let wrapper = wrappers.first { name in
            members.contains { $0.name == name && dictionary(heap, $0.value) != nil }
        }
        if let wrapper {
            members = members.first { $0.name == wrapper }.flatMap { dictionary(heap, $0.value) } ?? []
        }
        var tensors: [StoredTensor] = []
        for (name, reference) in members {
            guard case .tensor(let tensor) = heap[reference] else { continue }
            tensors.append(try stored(name, tensor, archive, root: root))
        }
        return TensorFile(path: archive.path, format: .torch, tensors: tensors, wrapper: wrapper, notes: notes)
    }

    /// The text, numbers and truth values among the members, and in the dictionaries among them.
    private static func notes(
        _ heap: [PickleValue], _ members: [(name: String, value: PickleValue.Reference)]
    ) -> [String: JSON] {
        var notes: [String: JSON] = [:]
        for (name, value) in members {
            notes[name] = heap[value].json
            for (inner, value) in dictionary(heap, value) ?? [] { notes["\(name).\(inner)"] = heap[value].json }
        }
        return notes
    }

    /// The members with names of a dictionary; later ones replace earlier ones.
    private static func dictionary(
        _ heap: [PickleValue], _ reference: PickleValue.Reference
    ) -> [(name: String, value: PickleValue.Reference)]? {
        guard case .dictionary(let pairs) = heap[reference] else { return nil }
        var members: [(name: String, value: PickleValue.Reference)] = []
        var places: [String: Int] = [:]
        for (key, value) in pairs {
            guard case .string(let name) = heap[key] else { continue }
            if let place = places[name] {
                members[place].value = value
            } else {
                places[name] = members.count
                members.append((name, value))
            }
        }
        return members
    }

    private static func stored(
        _ name: String, _ tensor: TorchTensor, _ archive: ZipArchive, root: String
    ) throws(FileError) -> StoredTensor {
        let path = archive.path
        let size = tensor.storage.type.size
        guard let entry = archive[root + "data/" + tensor.storage.key] else {
            throw .malformed(path, "lacks the numbers of \(name) (\(root)data/\(tensor.storage.key))")
        }
        guard tensor.storage.count <= entry.size / size else {
            throw .malformed(
                path,
                "has \(entry.size) bytes for \(name), whose storage should hold \(tensor.storage.count) numbers of \(size)"
            )
        }
        let start = tensor.offset * size
        let source: StoredTensor.Source
        if entry.isDeflated {
            source = .deflated(entry, offset: start)
        } else {
            guard let bytes = entry.packed.slice(start, entry.packed.count - start) else {
                throw .malformed(path, "places \(name) beyond the end of its storage")
            }
            source = .mapped(bytes)
        }
        let isRowMajor = zip(zip(tensor.strides, rowMajorStrides(tensor.shape)), tensor.shape)
            .allSatisfy { $0.0.0 == $0.0.1 || $0.1 == 1 }
        return StoredTensor(
            TensorDescription(name: name, type: tensor.storage.type, shape: tensor.shape),
            strides: isRowMajor ? nil : tensor.strides, source: source, path: path)
    }
}
