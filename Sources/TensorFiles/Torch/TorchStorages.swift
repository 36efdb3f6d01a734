import Support

/// Where the numbers of a file of torch lie.
enum TorchStorages {
    /// Entries of an archive, in the folder `root`.
    case archive(ZipArchive, root: String)
    /// Parts of the file, by key.
    case parts([String: Bytes], path: String)

    var path: String {
        switch self {
        case .archive(let archive, _): archive.path
        case .parts(_, let path): path
        }
    }

    /// The tensor whose numbers lie here.
    func tensor(_ entry: TorchContents.Entry<TorchTensor>) throws(FileError) -> StoredTensor {
        let (name, tensor) = (entry.name, entry.value)
        let type = tensor.storage.type
        let isRowMajor = zip(zip(tensor.strides, rowMajorStrides(tensor.shape)), tensor.shape)
            .allSatisfy { $0.0.0 == $0.0.1 || $0.1 == 1 }
        var stored = StoredTensor(
            TensorDescription(name: name, type: type, shape: tensor.shape),
            strides: isRowMajor ? nil : tensor.strides, source: try source(name, tensor),
            path: path)
        stored.location = entry.location
        return stored
    }

    private func source(_ name: String, _ tensor: TorchTensor) throws(FileError) -> StoredTensor.Source {
        let storage = tensor.storage
        switch self {
        case .archive(let archive, let root):
            guard let entry = archive[root + "data/" + storage.key] else {
                throw .malformed(path, "lacks the numbers of \(name) (\(root)data/\(storage.key))")
            }
            let start = try start(of: tensor, name, byteCount: entry.size)
            if entry.isDeflated { return .deflated(entry, offset: start) }
            return .mapped(try slice(entry.packed, from: start, name))
        case .parts(let parts, _):
            guard let part = parts[storage.key] else { throw .malformed(path, "lacks the numbers of \(name)") }
            return .mapped(try slice(part, from: start(of: tensor, name, byteCount: part.count), name))
        }
    }

    /// The first byte of a tensor in a storage of `byteCount` bytes, which must hold all of its numbers.
    private func start(of tensor: TorchTensor, _ name: String, byteCount: Int) throws(FileError) -> Int {
        let (storage, size) = (tensor.storage, tensor.storage.type.size)
        guard storage.first <= byteCount / size, storage.count <= byteCount / size - storage.first else {
            throw .malformed(
                path,
                "has \(byteCount) bytes for \(name), whose storage should hold \(storage.count) numbers of \(size)")
        }
        return (storage.first + tensor.offset) * size
    }

    private func slice(_ bytes: Bytes, from start: Int, _ name: String) throws(FileError) -> Bytes {
        guard let slice = bytes.slice(start, bytes.count - start) else {
            throw .malformed(path, "places \(name) beyond the end of its storage")
        }
        return slice
    }
}
