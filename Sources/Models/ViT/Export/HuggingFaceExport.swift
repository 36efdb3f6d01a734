import Compute
import Imaging
import Support

/// Writes the directory that transformers reads, with the names that all its versions know.
struct HuggingFaceExport {
    private var writer: ViTExport
    private let directory: String
    private let kind: Kind

    /// The model classes of transformers that a Vision Transformer can be.
    private enum Kind: String {
        case vit
        case deit
        case vitMAE = "vit_mae"
        case dinov2
        case dinov2WithRegisters = "dinov2_with_registers"

        var isDINO: Bool { self == .dinov2 || self == .dinov2WithRegisters }
    }

    init(_ writer: ViTExport, directory: String) throws(CheckpointError) {
        self.writer = writer
        self.directory = directory
        kind = Self.kind(of: writer.configuration, hasDecoder: writer.mae != nil)
        if let obstacle = Self.obstacle(writer.configuration, hasDecoder: writer.mae != nil) {
            throw .malformed(directory, "transformers has no model with \(obstacle); the layout timm can hold it")
        }
    }

    private static func kind(of configuration: ViTConfiguration, hasDecoder: Bool) -> Kind {
        if hasDecoder { return .vitMAE }
        if configuration.registerCount > 0 { return .dinov2WithRegisters }
        return configuration.hasLayerScale ? .dinov2 : configuration.hasDistillationToken ? .deit : .vit
    }

    /// What a model has that transformers' class for it has not.
    static func obstacle(_ configuration: ViTConfiguration, hasDecoder: Bool) -> String? {
        let kind = kind(of: configuration, hasDecoder: hasDecoder)
        let hasHead = configuration.classCount > 0
        if TowerExport.holds(configuration) { return nil }
        if let obstacle = configuration.towerObstacle { return obstacle }
        if configuration.finalNorm == .afterPooling { return "a norm after pooling" }
        if configuration.pooling == .meanPatches, hasHead { return "mean pooling before its head" }
        if !configuration.hasClassToken { return "no class token" }
        let readsBoth = configuration.pooling == .classTokenAndMean
        if !kind.isDINO, readsBoth, hasHead { return "a head on class token and mean, and no layer scale" }
        if kind.isDINO, hasHead, !readsBoth { return "layer scale or registers and a head on the class token alone" }
        if kind.isDINO, !configuration.hasLayerScale { return "registers and no layer scale" }
        if kind.isDINO, configuration.hasDistillationToken { return "layer scale and a distillation token" }
        if kind.isDINO, configuration.hiddenWidth % configuration.width != 0 {
            return "layer scale and an MLP whose width is no multiple of the token's"
        }
        if !kind.isDINO, !configuration.prefixHasPosition { return "a class token without a position" }
        return nil
    }

    func write(_ source: TensorSource) throws(CheckpointError) -> [String] {
        try Files.makeDirectory(directory)
        var shapes = writer.parameterShapes
        var given = source
        if !writer.configuration.prefixHasPosition {
            // A position of zeros changes nothing.
            let rows = writer.configuration.positionRowCount
            let width = writer.configuration.width
            shapes = shapes.map { $0.name == "pos_embed" ? ParameterShape("pos_embed", [1, rows + 1, width]) : $0 }
            given = { (name) throws(CheckpointError) in
                let tensor = try source(name)
                guard name == "pos_embed" else { return tensor }
                return Tensor([Float](repeating: 0, count: width) + tensor.values, shape: [1, rows + 1, width])
            }
        }
        var plan = ExportedTensor.plan(shapes, keyMap)
        if kind == .dinov2WithRegisters {
            // Unused, and missed by transformers where it is not there.
            let name = keyMap.prefix + "embeddings.mask_token"
            let width = writer.configuration.width
            plan.append(ExportedTensor(name: name, shape: [1, width], canonical: name, rows: 0..<1))
            let others = given
            given = { (wanted) throws(CheckpointError) in
                if wanted == name { return Tensor(shape: [1, width]) }
                return try others(wanted)
            }
        }
        try plan.writeSafetensors(to: Files.join(directory, "model.safetensors"), as: writer.type, from: given)
        let settings = ProcessorSettings(writer.preprocessing, channels: writer.configuration.inputChannels)
        try Files.write(settings.json.text() + "\n", to: Files.join(directory, "preprocessor_config.json"))
        try Files.write(configuration.text() + "\n", to: Files.join(directory, "config.json"))
        return settings.notes
    }

    private var keyMap: KeyMap {
        let hasHead = writer.configuration.classCount > 0
        var map = KeyMap(layout: .huggingFace)
        // A bare encoder has no name before its parts.
        map.prefix = kind == .vitMAE ? "vit." : hasHead ? "\(kind.rawValue)." : ""
        map.blockPrefix = "encoder.layer."
        map.decoderBlockPrefix = "decoder.decoder_layers."
        map.spelling = KeyMap.spelling(modern: false, dino: kind.isDINO, distilled: kind == .deit)
        return map
    }

    private var architecture: String {
        let hasHead = writer.configuration.classCount > 0
        switch kind {
        case .vit: return hasHead ? "ViTForImageClassification" : "ViTModel"
        case .deit: return hasHead ? "DeiTForImageClassificationWithTeacher" : "DeiTModel"
        case .vitMAE: return "ViTMAEForPreTraining"
        case .dinov2: return hasHead ? "Dinov2ForImageClassification" : "Dinov2Model"
        case .dinov2WithRegisters:
            return hasHead ? "Dinov2WithRegistersForImageClassification" : "Dinov2WithRegistersModel"
        }
    }

    private var configuration: JSON {
        let model = writer.configuration
        var members: [JSON.Member] = [
            JSON.Member("architectures", .array([.string(architecture)])),
            JSON.Member("model_type", .string(kind.rawValue)),
            JSON.Member("hidden_size", .integer(model.width)),
            JSON.Member("num_hidden_layers", .integer(model.depth)),
            JSON.Member("num_attention_heads", .integer(model.heads)),
        ]
        if kind.isDINO {
            members.append(JSON.Member("mlp_ratio", .integer(model.hiddenWidth / model.width)))
            members.append(JSON.Member("use_swiglu_ffn", .bool(false)))
            members.append(JSON.Member("use_mask_token", .bool(false)))
        } else {
            members.append(JSON.Member("intermediate_size", .integer(model.hiddenWidth)))
        }
        if model.registerCount > 0 { members.append(JSON.Member("num_register_tokens", .integer(model.registerCount))) }
        members += [
            JSON.Member("hidden_act", .string(model.activation.transformersName)),
            JSON.Member("layer_norm_eps", .number(JSON.decimal(model.layerNormEpsilon))),
            JSON.Member("image_size", JSON.side(writer.trainedSize)),
            JSON.Member("patch_size", JSON.side(model.patchSize)),
            JSON.Member("num_channels", .integer(model.inputChannels)),
            JSON.Member("qkv_bias", .bool(model.qkvBias)),
        ]
        members += decoderMembers + Self.labelMembers(writer)
        members.append(JSON.Member("torch_dtype", .string(writer.halfPrecision ? "float16" : "float32")))
        return .object(members)
    }

    private var decoderMembers: [JSON.Member] {
        guard let decoder = writer.mae?.decoder else { return [] }
        return [
            JSON.Member("decoder_hidden_size", .integer(decoder.width)),
            JSON.Member("decoder_num_hidden_layers", .integer(decoder.depth)),
            JSON.Member("decoder_num_attention_heads", .integer(decoder.heads)),
            JSON.Member("decoder_intermediate_size", .integer(decoder.hiddenWidth)),
            JSON.Member("norm_pix_loss", .bool(writer.mae?.target == .normalized)),
        ] + (writer.maskRatio.map { [JSON.Member("mask_ratio", .number($0))] } ?? [])
    }

    /// The members of a classifier's configuration that describe its classes.
    static func labelMembers(_ writer: ViTExport) -> [JSON.Member] {
        guard writer.configuration.classCount > 0 else { return [] }
        let labels = writer.labels ?? (0..<writer.configuration.classCount).map { "LABEL_\($0)" }
        var numbers: [JSON.Member] = []
        var seen: Set<String> = []
        for (index, label) in labels.enumerated() where seen.insert(label).inserted {
            numbers.append(JSON.Member(label, .integer(index)))
        }
        // Where it is what transformers applies by itself, no word is needed.
        let activation = writer.activation.flatMap {
            $0 == .assumed(classCount: writer.configuration.classCount) ? nil : $0.problemType
        }
        return [
            JSON.Member("id2label", .object(labels.enumerated().map { JSON.Member(String($0), .string($1)) })),
            JSON.Member("label2id", .object(numbers)),
        ] + (activation.map { [$0] } ?? [])
    }
}

extension Activation {
    /// What transformers calls it.
    var transformersName: String {
        switch self {
        case .gelu: "gelu"
        case .geluTanh: "gelu_pytorch_tanh"
        case .quickGELU: "quick_gelu"
        }
    }
}

extension JSON {
    /// One number where both sides are equal, else height and width.
    static func side(_ extent: Size) -> JSON {
        extent.height == extent.width
            ? .integer(extent.height) : .array([.integer(extent.height), .integer(extent.width)])
    }

    static func size(width: Int, height: Int) -> JSON {
        .object([JSON.Member("height", .integer(height)), JSON.Member("width", .integer(width))])
    }

    /// A value for each channel, also where one holds for all.
    static func channels(_ values: [Double], _ count: Int) -> JSON {
        let all = values.count == 1 ? [Double](repeating: values[0], count: count) : values
        return .array(all.map { .number($0) })
    }

    /// The double that prints as the float does: 1e-12, not 9.999999960041972e-13.
    static func decimal(_ value: Float) -> Double { Double(value.description) ?? Double(value) }
}
