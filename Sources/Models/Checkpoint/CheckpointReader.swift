import Imaging
import Support
import TensorFiles

/// Finds the files of a checkpoint and puts together what they say.
struct CheckpointReader {
    let path: String

    /// The weights of a directory, the better ones first.
    private static let weightsNames = [
        "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
    ]
    private static let weightsSuffixes = [".safetensors", ".pth", ".pt", ".bin", ".npz"]

    func read() throws(CheckpointError) -> Checkpoint {
        let weightsPath = try self.weightsPath()
        let directory = Files.directory(of: weightsPath)
        let weights = try TensorFile.open(weightsPath)
        let table = try TensorTable(weights)
        var description = try table.description()
        let configurations = try configurations(in: directory, &description, weights: weights)
        try complete(&description, table, configurations, directory: directory)
        description.completeTarget(weights)
        let recipes = try TensorResolver(table: table, description: description).resolve()
        let ignored = recipes.ignored.merging(description.ignored) { $1 }
        var configuration = description.configuration
        let (preprocessing, assumption) = try preprocessing(configurations, description, table, directory: directory)
        if let assumption { description.assumptions.append(assumption) }
        Self.fitToPreprocessing(&configuration, preprocessing, &description.assumptions)
        let (size, patch) = (configuration.imageSize, configuration.patchSize)
        guard size.height % patch.height == 0, size.width % patch.width == 0 else {
            throw .malformed(
                weightsPath,
                "is used with pictures of \(size.width) × \(size.height) pixels, which patches of "
                    + "\(patch.width) × \(patch.height) do not divide")
        }
        return Checkpoint(
            path: weightsPath, layout: table.keyMap.layout, summary: Self.summary(weights, table),
            configuration: configuration, preprocessing: preprocessing, labels: description.labels,
            assumptions: description.assumptions, maeDecoder: description.decoder, maeTarget: description.target,
            statesMAETarget: description.statesTarget, maeMaskRatio: description.maskRatio,
            tensors: weights.tensors.map(\.description),
            ignored: ignored.sorted { $0.key < $1.key }.map { (name: $0.key, reason: $0.value) },
            recipes: recipes.recipes)
    }

    private func weightsPath() throws(CheckpointError) -> String {
        switch Files.kind(of: path) {
        case .file: return path
        case .missing: throw CheckpointError(.missing, path, "there is no such checkpoint")
        case .directory: break
        }
        let names = Files.names(in: path)
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

    /// The configuration files beside the weights.
    private struct Configurations {
        var huggingFace: HuggingFaceConfiguration?
        var timm: TimmConfiguration?
        /// transformers' settings of its image processor, with their path.
        var processor: (json: JSON, path: String)?
    }

    private func configurations(
        in directory: String, _ description: inout ModelDescription, weights: TensorFile
    ) throws(CheckpointError) -> Configurations {
        var found = Configurations()
        let path = Files.join(directory, "config.json")
        if Files.kind(of: path) == .file {
            let json = try JSON.file(path)
            found.timm = TimmConfiguration(json, path: path)
            let isModel = ["model_type", "num_attention_heads", "image_size", "hidden_size"].contains {
                json[$0] != nil
            }
            if found.timm == nil, isModel { found.huggingFace = HuggingFaceConfiguration(json: json, path: path) }
            if found.timm == nil, found.huggingFace == nil {
                description.assumptions.append("\(path) describes no model and is left aside.")
            }
        } else if weights.wrapper != nil, let architecture = weights.notes["arch"]?.string,
            [nil, description.configuration.depth].contains(TimmArchitecture(name: architecture).depth)
        {
            // A training script noted which of timm's architectures it trained; other arguments it kept to itself.
            found.timm = TimmConfiguration(
                .object([JSON.Member("architecture", .string(architecture))]), path: weights.path)
        }
        let processor = Files.join(directory, "preprocessor_config.json")
        if Files.kind(of: processor) == .file { found.processor = (try JSON.file(processor), processor) }
        return found
    }

    private func complete(
        _ description: inout ModelDescription, _ table: TensorTable, _ configurations: Configurations, directory: String
    ) throws(CheckpointError) {
        if let configuration = configurations.huggingFace {
            try configuration.apply(to: &description, table: table)
        } else if let configuration = configurations.timm {
            try configuration.apply(to: &description, table: table)
        } else {
            if let heads = table.statedHeads {
                description.configuration.heads = heads
            } else {
                try description.assumeHeads(path: table.path)
            }
            try description.fitPositions(rows: try table.extent(1, of: "pos_embed"), stated: nil, path: table.path)
            let epsilon = description.configuration.layerNormEpsilon
            description.assumptions.append("An epsilon of \(epsilon) in the norms and the exact GELU.")
        }
        guard let decoder = description.decoder else { return }
        if configurations.huggingFace == nil {
            description.assumptions.append("\(decoder.heads) attention heads in the decoder.")
        }
        guard decoder.heads > 0, decoder.width % decoder.heads == 0 else {
            throw .malformed(
                table.path, "has a decoder of width \(decoder.width), which \(decoder.heads) heads do not divide")
        }
    }

    private func preprocessing(
        _ configurations: Configurations, _ description: ModelDescription, _ table: TensorTable, directory: String
    ) throws(CheckpointError) -> (Preprocessing, String?) {
        let channels = description.configuration.inputChannels
        var stated: (Preprocessing, String)?
        if let processor = configurations.processor,
            processor.json["image_processor_type"]?.string != "TimmWrapperImageProcessor"
        {
            stated = (
                try HuggingFaceConfiguration.preprocessing(
                    processor.json, path: processor.path, family: description.family), processor.path
            )
        } else if let timm = configurations.timm, timm.json["pretrained_cfg"] != nil || timm.json["mean"] != nil {
            stated = (try timm.preprocessing(imageSize: description.configuration.imageSize), timm.path)
        }
        guard let (preprocessing, path) = stated else {
            return FamilyPreprocessing.preprocessing(description, layout: table.keyMap.layout)
        }
        for values in [preprocessing.mean, preprocessing.std] where values.count != 1 && values.count != channels {
            throw .malformed(path, "gives \(values.count) values for mean or std; the model has \(channels) channels")
        }
        guard !preprocessing.std.contains(where: { $0 == 0 || !$0.isFinite }) else {
            throw .malformed(path, "gives a std of 0, by which nothing can be divided")
        }
        return (preprocessing, nil)
    }

    /// A processor that makes another size of picture than the positions were trained for is right: DINOv2 is trained
    /// at 518 pixels and used at 224. The positions are interpolated then.
    private static func fitToPreprocessing(
        _ configuration: inout ViTConfiguration, _ preprocessing: Preprocessing, _ assumptions: inout [String]
    ) {
        var output = preprocessing.crop.map { Size(height: $0.height, width: $0.width) }
        if output == nil, case .exact(let width, let height) = preprocessing.resize {
            output = Size(height: height, width: width)
        }
        guard let output, output != configuration.imageSize else { return }
        let trained = configuration.positionImageSize ?? configuration.imageSize
        configuration.positionImageSize = trained == output ? nil : trained
        configuration.imageSize = output
        if trained != output {
            assumptions.append(
                "Positions for \(trained.width) × \(trained.height) pixels are interpolated to the "
                    + "\(output.width) × \(output.height) that the preprocessing makes.")
        }
    }

    private static func summary(_ weights: TensorFile, _ table: TensorTable) -> String {
        let files = weights.fileCount > 1 ? " in \(weights.fileCount) files" : ""
        let decoder = table.decoderDepth > 0 ? ", encoder and decoder" : ""
        return "\(table.keyMap.layout.summary)\(decoder) (\(weights.format.rawValue)\(files))"
    }
}
