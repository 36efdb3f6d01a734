import Compute
import Support

/// Reads the configurations of transformers' CLIP and SigLIP: of both towers, or of the vision tower alone.
///
/// What a file leaves out has the default of transformers' configuration classes.
struct TransformersTowers {
    private let json: JSON
    private let path: String
    let isSigLIP: Bool

    static let types = ["clip", "clip_vision_model", "siglip", "siglip_vision_model"]

    init(_ file: (json: JSON, path: String)?, weights: String) throws(CheckpointError) {
        guard let file else {
            throw .malformed(
                weights,
                "holds a vision tower of CLIP or SigLIP; a config.json beside it, which says which GELU it has, was expected"
            )
        }
        (json, path) = file
        guard let type = json["model_type"]?.string, Self.types.contains(type) else {
            let stated = json["model_type"]?.text(compact: true) ?? "no model_type"
            throw .malformed(
                path,
                "states \(stated), and the tensors are those of CLIP or SigLIP: \(Self.types.joined(separator: ", ")) can be read"
            )
        }
        isSigLIP = type.hasPrefix("siglip")
        let isWhole = !type.hasSuffix("_vision_model")
        try (isWhole ? Self.whole : Self.vision).check(json, path: path)
    }

    /// The configuration of a tower; one under a name that ends in `_dict` takes the place of the other.
    private func section(_ name: String) -> JSON {
        if let section = json[name + "_dict"], section.members != nil { return section }
        if let section = json[name], section.members != nil { return section }
        return name == "vision_config" && json["model_type"]?.string?.hasSuffix("_vision_model") == true
            ? json : .object([])
    }

    private func tower(_ section: JSON) -> HuggingFaceConfiguration {
        HuggingFaceConfiguration(json: section, path: path)
    }

    /// Adds what the shapes do not show of the vision tower.
    func apply(
        to vision: inout ViTConfiguration, rows: Int, _ assumptions: inout [String]
    ) throws(CheckpointError) {
        let section = section("vision_config")
        let tower = tower(section)
        try Self.vision.check(section, path: path)
        try tower.checkSizes(vision)
        try tower.checkValues(vision)
        try vision.setHeads(try tower.integer("num_attention_heads") ?? 12, path: path)
        vision.activation = try tower.activation() ?? standardActivation
        vision.layerNormEpsilon = try epsilon(section)
        // CLIP's classifiers average what the last block gives, SigLIP's what the norm makes of it.
        if vision.classCount > 0 { vision.finalNorm = isSigLIP ? .beforePooling : .absent }
        let size = try tower.size("image_size") ?? Size(square: 224)
        try vision.fitTowerPositions(rows: rows, stated: size, path: path, &assumptions)
    }

    /// The names of a classifier's classes, and the activation of its head.
    func head(classCount: Int) throws(CheckpointError) -> (labels: [String]?, activation: HeadActivation?) {
        guard classCount > 0 else { return (nil, nil) }
        return (
            try tower(json).labels(classCount: classCount),
            try HeadActivation.stated(inConfiguration: json, classCount: classCount, path: path)
        )
    }

    /// Adds what the shapes do not show of the text tower.
    func apply(to text: inout TextTowerConfiguration) throws(CheckpointError) {
        let section = section("text_config")
        let tower = tower(section)
        try Self.text.check(section, path: path)
        let sizes = [
            ("vocab_size", text.vocabularySize), ("hidden_size", text.width), ("intermediate_size", text.hiddenWidth),
            ("num_hidden_layers", text.depth), ("max_position_embeddings", text.contextLength),
        ]
        for (name, size) in sizes {
            if let stated = try tower.integer(name), stated != size {
                throw .malformed(path, "states a \(name) of \(stated) for the text tower, the tensors have \(size)")
            }
        }
        try text.setHeads(try tower.integer("num_attention_heads") ?? (isSigLIP ? 12 : 8), path: path)
        text.activation = try tower.activation() ?? standardActivation
        text.layerNormEpsilon = try epsilon(section)
        text.isCausal = !isSigLIP
        text.pooling = isSigLIP ? .last : try endOfText(section)
    }

    /// Which token CLIP pools. Configurations of its first years say 2, which no text has: the highest number is meant.
    private func endOfText(_ section: JSON) throws(CheckpointError) -> TextTowerConfiguration.Pooling {
        guard let value = section["eos_token_id"], value != .null else { return .firstOf(49407) }
        guard let number = value.integer, number >= 0 else {
            throw .malformed(
                path, "states an eos_token_id of \(value.text(compact: true)); the number of a token was expected")
        }
        return number == 2 ? .highest : .firstOf(number)
    }

    private func epsilon(_ section: JSON) throws(CheckpointError) -> Float {
        guard let value = section["layer_norm_eps"], value != .null else { return isSigLIP ? 1e-6 : 1e-5 }
        guard let epsilon = value.double, epsilon >= 0, epsilon < 1 else {
            throw .malformed(
                path, "states a layer_norm_eps of \(value.text(compact: true)); a number such as 1e-5 was expected")
        }
        return Float(epsilon)
    }

    private var standardActivation: Activation { isSigLIP ? .geluTanh : .quickGELU }

    // MARK: Settings

    private static let harmless = HuggingFaceConfiguration.harmless.union([
        "attention_dropout", "dropout", "encoder_no_repeat_ngram_size", "id2label", "initializer_factor",
        "logit_scale_init_value", "no_repeat_ngram_size", "problem_type", "projection_dim", "projection_size",
    ])
    private static let off: [JSON] = [.null, .bool(false), .array([]), .object([])]
    private static let both: Set = [
        "hidden_act", "hidden_size", "intermediate_size", "layer_norm_eps", "model_type", "num_attention_heads",
        "num_hidden_layers",
    ]
    private static let vision = KnownSettings(
        obeyed: both.union(["image_size", "num_channels", "patch_size", "vision_use_head"]), harmless: harmless,
        off: off)
    private static let text = KnownSettings(
        obeyed: both.union(["eos_token_id", "max_position_embeddings", "vocab_size"]), harmless: harmless, off: off)
    private static let whole = KnownSettings(
        obeyed: [
            "id2label", "model_type", "problem_type", "text_config", "text_config_dict", "vision_config",
            "vision_config_dict",
        ],
        harmless: harmless, off: off)
}
