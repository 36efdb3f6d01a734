import Compute

extension TensorArchive {
    /// Writes tensors under the names given into a safetensors file, which takes its place when it is whole and on the
    /// disk.
    package static func write(_ tensors: [(name: String, tensor: Tensor)], to path: String) throws(CheckpointError) {
        let byName = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.tensor) })
        let plan = tensors.map { name, tensor in
            ExportedTensor(name: name, shape: tensor.shape, canonical: name, rows: 0..<(tensor.shape.first ?? 0))
        }
        try SafetensorsWriter.write(plan, as: .float32, to: path) { (name) throws(CheckpointError) in
            guard let tensor = byName[name] else { throw .malformed(path, "has no tensor \(name)") }
            return tensor
        }
    }
}

extension Files {
    /// Writes a whole file, beside its place first.
    package static func write(_ bytes: [UInt8], to path: String) throws(CheckpointError) {
        let file = try OutputFile(path)
        try file.append(bytes)
        try file.commit()
    }

    /// All bytes of a file that is not empty.
    package static func bytes(of path: String) throws(CheckpointError) -> [UInt8] { try MappedFile(path).bytes.array }
}
