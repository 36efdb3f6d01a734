import Imaging
import Support
import TensorFiles

/// A checkpoint of a Vision Transformer, or of a model that has one as its encoder, while it is read.
struct ViTReading {
    private let files: CheckpointFiles
    let table: TensorTable<KeyMap>
    var description: ModelDescription
    /// The configuration file: transformers', or timm's; nil where there is neither.
    private(set) var huggingFace: HuggingFaceConfiguration?
    private(set) var timm: TimmConfiguration?

    /// Reads what names, shapes and configuration files say of the encoder.
    init(_ files: CheckpointFiles, names: KeyMap) throws(CheckpointError) {
        self.files = files
        table = try TensorTable(files, names: names)
        description = try table.description()
        findConfiguration()
        try complete()
    }

    private mutating func findConfiguration() {
        if let (json, path) = files.configuration {
            timm = TimmConfiguration(json, path: path)
            let isModel = ["model_type", "num_attention_heads", "image_size", "hidden_size"].contains {
                json[$0] != nil
            }
            if timm == nil, isModel { huggingFace = HuggingFaceConfiguration(json: json, path: path) }
            if timm == nil, huggingFace == nil {
                description.assumptions.append("\(path) describes no model and is left aside.")
            }
        } else if files.weights.wrapper != nil, let architecture = files.weights.notes["arch"]?.string,
            [nil, description.configuration.depth].contains(TimmArchitecture(name: architecture).depth)
        {
            // A training script noted which architecture it trained; other arguments it kept to itself.
            timm = TimmConfiguration(
                .object([JSON.Member("architecture", .string(architecture))]), path: files.weights.path)
        }
    }

    private mutating func complete() throws(CheckpointError) {
        if let huggingFace {
            try huggingFace.apply(to: &description, table: table)
        } else if let timm {
            try timm.apply(to: &description, table: table)
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
    }

    /// All of the checkpoint.
    ///
    /// - Parameters:
    ///   - configuration: the encoder's, or that of a whole with this encoder.
    ///   - unstated: see `Checkpoint.unstated`.
    func contents(
        _ configuration: any ModelConfiguration, hasDecoder: Bool = false, unstated: Set<String> = []
    ) throws(CheckpointError) -> CheckpointContents {
        let resolver = TensorResolver(table: table) { name in
            description.ignored[name] ?? table.names.reasonToIgnore(name, hasDecoder: hasDecoder)
        }
        var resolved = try resolver.resolve(configuration.parameterShapes.map(stored))
        if table.names.spelling["head.weight"] != nil, let mean = table.tensors[KeyMap.batchNormNames[0]],
            let weight = table.parts(of: "head.weight")?.first?.tensor
        {
            guard let variance = table.tensors[KeyMap.batchNormNames[1]] else {
                throw .malformed(table.path, "lacks \(KeyMap.batchNormNames[1])")
            }
            let norm = try FoldedBatchNorm(mean: mean, variance: variance, weight: weight, path: table.path)
            for name in ["head.weight", "head.bias"] { resolved.recipes[name]?.batchNorm = norm }
        }
        let (preprocessing, assumption) = try preprocessing()
        return CheckpointContents(
            configuration: configuration, layout: table.names.layout,
            summary: table.names.layout.summary + (hasDecoder ? ", encoder and decoder" : ""),
            preprocessing: preprocessing, labels: description.labels, activation: description.activation,
            assumptions: description.assumptions + (assumption.map { [$0] } ?? []), unstated: unstated,
            recipes: resolved.recipes, ignored: resolved.ignored)
    }

    /// How a parameter is stored: under another name and shape where positions are folded.
    private func stored(_ parameter: ParameterShape) -> StoredParameter {
        let width = description.configuration.width
        let foldedRows = description.folds.last?.rows.upperBound ?? 0
        if let fold = description.folds.first(where: { $0.token == parameter.name }) {
            var stored = StoredParameter(
                parameter, stored: ParameterShape(fold.source, [1, fold.rows.count, width]))
            stored.addition = ("pos_embed", fold.rows.lowerBound * width)
            return stored
        }
        guard parameter.name == "pos_embed" else { return StoredParameter(parameter) }
        var stored = StoredParameter(
            parameter,
            stored: ParameterShape("pos_embed", [1, parameter.shape[1] + foldedRows, parameter.shape[2]]))
        stored.skippedCount = foldedRows * width
        return stored
    }

    /// The preprocessing, and a sentence that says whose custom it is where no file states it.
    private func preprocessing() throws(CheckpointError) -> (Preprocessing, String?) {
        let channels = description.configuration.inputChannels
        var stated: (Preprocessing, String)?
        if let (json, path) = files.processor, json["image_processor_type"]?.string != "TimmWrapperImageProcessor" {
            stated = (
                try HuggingFaceConfiguration.preprocessing(json, path: path, family: description.family), path
            )
        } else if let timm, timm.statesPreprocessing {
            stated = (try timm.preprocessing(imageSize: description.configuration.imageSize), timm.path)
        }
        guard let (preprocessing, path) = stated else {
            return FamilyPreprocessing.preprocessing(description, layout: table.names.layout)
        }
        try preprocessing.check(channels: channels, path: path)
        return (preprocessing, nil)
    }
}

extension Preprocessing {
    /// Refuses means and deviations that do not fit a model of so many channels.
    func check(channels: Int, path: String) throws(CheckpointError) {
        for values in [mean, std] where values.count != 1 && values.count != channels {
            throw .malformed(path, "gives \(values.count) values for mean or std; the model has \(channels) channels")
        }
        if let value = mean.first(where: { !Self.allows(mean: $0) }) {
            throw .malformed(path, "gives a mean of \(value); what pixels have, such as 0.5, was expected")
        }
        if let value = std.first(where: { !Self.allows(deviation: $0) }) {
            throw .malformed(
                path, "gives a std of \(value), by which pixels cannot be divided; one such as 0.5 was expected")
        }
    }
}
