extension WeightsFile {
    /// Opens a weights file, or several through their index; the format is told by content.
    static func open(_ path: String) throws(CheckpointError) -> WeightsFile {
        if path.hasSuffix(".index.json") { return try ShardIndex.read(path, open: openSingle) }
        return try openSingle(path)
    }

    private static func openSingle(_ path: String) throws(CheckpointError) -> WeightsFile {
        let file = try MappedFile(path)
        if Safetensors.recognizes(file.bytes) {
            return WeightsFile(path: path, container: .safetensors, tensors: try Safetensors.read(file))
        }
        if ZipArchive.recognizes(file.bytes) { return try openArchive(file) }
        if file.bytes.starts(with: [0x80]) {
            throw .malformed(
                path,
                "is in torch's format from before version 1.6, or a bare pickle; save it again with a newer one: "
                    + "torch.save(torch.load(old, weights_only=True), new)")
        }
        throw .malformed(path, "is \(guess(file.bytes)); safetensors, PyTorch's zip format and NumPy's npz can be read")
    }

    private static func openArchive(_ file: MappedFile) throws(CheckpointError) -> WeightsFile {
        let archive = try ZipArchive(file)
        if let root = TorchCheckpoint.root(of: archive) { return try TorchCheckpoint.read(archive, root: root) }
        let tensors = try NumpyArchive.read(archive)
        guard !tensors.isEmpty else {
            throw .malformed(
                file.path, "is a zip archive without weights; torch's data.pkl or .npy arrays were expected")
        }
        return WeightsFile(path: file.path, container: .numpy, tensors: tensors)
    }

    private static func guess(_ bytes: Bytes) -> String {
        if bytes.starts(with: Array("version https://git-lfs".utf8)) {
            return "a pointer of Git LFS, not the weights (fetch them with git lfs pull)"
        }
        if bytes.starts(with: [0x89] + Array("HDF".utf8)) { return "an HDF5 file (Keras)" }
        if bytes.starts(with: Array("GGUF".utf8)) { return "a GGUF file" }
        if bytes.starts(with: [0x93] + Array("NUMPY".utf8)) { return "a single NumPy array" }
        if bytes.starts(with: [UInt8(ascii: "{")]) { return "a JSON file" }
        return "no known weights file"
    }
}

extension TensorTable {
    /// What training scripts put before all names.
    private static let wrappings = ["module.", "_orig_mod.", "timm_model.", "model.", "backbone.", "encoder."]

    init(_ weights: WeightsFile) throws(CheckpointError) {
        var names = weights.tensors.map(\.name)
        while let wrapping = Self.wrappings.first(where: { prefix in names.allSatisfy { $0.hasPrefix(prefix) } }),
            !names.isEmpty
        {
            names = names.map { String($0.dropFirst(wrapping.count)) }
        }
        if let feature = KeyMap.unsupportedFeature(names: names) {
            throw .malformed(weights.path, "holds a model with \(feature), which is not supported")
        }
        guard let keyMap = KeyMap.detect(names: names, wrapper: weights.wrapper) else {
            let first = names.prefix(3).joined(separator: ", ")
            throw .malformed(
                weights.path,
                names.isEmpty
                    ? "holds no tensors"
                    : "has the layout of no Vision Transformer that can be read; its tensors begin \(first)")
        }
        var tensors: [String: StoredTensor] = [:]
        for (name, tensor) in zip(names, weights.tensors) {
            guard tensors.updateValue(tensor, forKey: name) == nil else {
                throw .malformed(weights.path, "holds \(tensor.name) twice")
            }
        }
        self.init(path: weights.path, keyMap: keyMap, tensors: tensors)
    }
}
