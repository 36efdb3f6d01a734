import Support
import TensorFiles

/// The files of a checkpoint: its weights, and the configuration files beside them.
package struct CheckpointFiles {
    /// The weights; of the tensors, those of the model.
    let weights: TensorFile
    /// The names of the tensors, without what a training script put before all of them.
    let names: [String]
    /// Where in the file the model is, and what lies beside it.
    let found: ModelSearch.Model
    /// `config.json`.
    let configuration: (json: JSON, path: String)?
    /// `preprocessor_config.json`: transformers' settings of its image processor.
    let processor: (json: JSON, path: String)?
    /// `open_clip_config.json`: OpenCLIP's description of a model and its preprocessing.
    let openCLIP: (json: JSON, path: String)?

    /// The weights of a directory, the better ones first.
    private static let weightsNames = [
        "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
        "open_clip_model.safetensors", "open_clip_pytorch_model.bin",
    ]
    private static let weightsSuffixes = [".safetensors", ".pth", ".pt", ".bin", ".npz", ".ckpt", ".pth.tar"]

    /// Opens the checkpoint at `path`: a directory, or the weights themselves.
    ///
    /// - Parameter key: where the model is in a file with several; nil: see `ModelSearch`.
    init(_ path: String, key: String? = nil) throws(CheckpointError) {
        var file = try TensorFile.open(Self.weightsPath(try RunFolder.model(in: path) ?? path))
        let search = try ModelSearch(file)
        let model = try search.model(key: key)
        file.tensors = model.members.map { [tensors = file.tensors] in tensors[$0] }
        names = MMPretrainNames.translated(
            ModelSearch.withoutChunks(model.members.map { search.names[$0].dropFirst(model.prefix.count) }))
        found = model
        weights = file
        let directory = Files.directory(of: weights.path)
        configuration = try Self.json(Files.join(directory, "config.json"))
        let processor = try Self.json(Files.join(directory, "preprocessor_config.json"))
        let both = processor == nil ? try Self.json(Files.join(directory, "processor_config.json")) : nil
        // transformers 5 may keep the settings of images among those of images and texts.
        self.processor = processor ?? both.flatMap { file in file.json["image_processor"].map { ($0, file.path) } }
        openCLIP = try Self.json(Files.join(directory, "open_clip_config.json"))
    }

    /// The tensors by `names`.
    func tensors() throws(CheckpointError) -> [String: StoredTensor] {
        var tensors: [String: StoredTensor] = [:]
        for (name, tensor) in zip(names, weights.tensors) {
            guard tensors.updateValue(tensor, forKey: name) == nil else {
                throw .malformed(weights.path, "holds \(tensor.name) twice")
            }
        }
        return tensors
    }

    private static func json(_ path: String) throws(CheckpointError) -> (json: JSON, path: String)? {
        guard try Files.kind(of: path) == .file else { return nil }
        return (try JSON.file(path), path)
    }

    private static func weightsPath(_ path: String) throws(CheckpointError) -> String {
        switch try Files.kind(of: path) {
        case .file: return path
        case .missing: throw CheckpointError(.missing, path, "there is no such checkpoint")
        case .directory: break
        }
        let names = try Files.names(in: path)
        if let name = Self.weightsNames.first(where: { names.contains($0) }) { return Files.join(path, name) }
        let candidates = names.filter { name in Self.weightsSuffixes.contains { name.hasSuffix($0) } }
        guard let only = candidates.first else {
            throw CheckpointError(
                .missing, path,
                "holds no weights; model.safetensors or pytorch_model.bin, or one other weights file, were expected")
        }
        guard candidates.count == 1 else {
            throw .malformed(
                path,
                "holds several weights files (\(candidates.prefix(3).joined(separator: ", "))…); name the one to use")
        }
        return Files.join(path, only)
    }
}
