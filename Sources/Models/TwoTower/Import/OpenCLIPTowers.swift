import Compute
import Imaging
import Support

/// Reads OpenCLIP's description of a model, `open_clip_config.json`.
///
/// What it leaves out has the default of OpenCLIP's `CLIPVisionCfg`, `CLIPTextCfg` and `PreprocessCfg`.
struct OpenCLIPTowers {
    private let model: JSON
    private let vision: JSON
    private let text: JSON
    private let preprocess: JSON
    private let path: String

    init(_ file: (json: JSON, path: String)?, weights: String) throws(CheckpointError) {
        guard let file else {
            throw .malformed(
                weights,
                "holds a vision tower under OpenCLIP's names; an open_clip_config.json beside it, which says which GELU it has, "
                    + "was expected")
        }
        path = file.path
        // The file of a model in OpenCLIP's own folder has no outer level.
        model = file.json["model_cfg"] ?? file.json
        preprocess = file.json["preprocess_cfg"] ?? .object([])
        guard let vision = model["vision_cfg"], vision.members != nil else {
            throw .malformed(path, "describes no vision tower (vision_cfg)")
        }
        self.vision = vision
        text = model["text_cfg"] ?? .object([])
        try OpenCLIPSettings.model.check(model, path: path)
        try OpenCLIPSettings.vision.check(vision, path: path)
        try OpenCLIPSettings.text.check(text, path: path)
        try OpenCLIPSettings.preprocess.check(preprocess, path: path)
    }

    // MARK: Towers

    /// Adds what the shapes do not show of the vision tower.
    func apply(
        to tower: inout ViTConfiguration, rows: Int, _ assumptions: inout [String]
    ) throws(CheckpointError) {
        if let name = vision["timm_model_name"]?.string {
            try apply(timm: name, to: &tower, &assumptions)
        } else {
            tower.activation = try activation(vision)
            tower.layerNormEpsilon = try epsilon(vision)
            let headWidth = try integer("head_width", of: vision) ?? 64
            try tower.setHeads(tower.width / headWidth, path: path)
            try checkSizes(
                vision, [("width", tower.width), ("layers", tower.depth), ("patch_size", tower.patchSize.height)])
            switch vision["pool_type"]?.string ?? "tok" {
            case "tok": tower.pooling = .classToken
            case "avg":
                tower.pooling = .meanPatches
                if vision["final_ln_after_pool"]?.bool == true { tower.finalNorm = .afterPooling }
            case let name: throw .malformed(path, "states the pooling \"\(name)\" of images; tok and avg are known")
            }
        }
        try tower.fitTowerPositions(rows: rows, stated: try size(of: vision), path: path, &assumptions)
    }

    private func apply(
        timm name: String, to tower: inout ViTConfiguration, _ assumptions: inout [String]
    ) throws(CheckpointError) {
        let facts = TimmArchitecture(name: name)
        if let feature = facts.unsupportedFeature {
            throw .malformed(path, "describes \(name), which has \(feature); that is not supported")
        }
        tower.activation = facts.activation
        tower.layerNormEpsilon = tower.timmEpsilon
        if let heads = facts.heads {
            try tower.setHeads(heads, path: path)
        } else {
            var description = ModelDescription()
            description.configuration = tower
            try description.assumeHeads(path: path)
            // Every model of timm's with a name has heads of that width.
            tower.heads = description.configuration.heads
        }
        switch vision["timm_pool"]?.string ?? "avg" {
        case "map" where tower.pooling == .attention, "": break
        case "token" where tower.hasClassToken: tower.pooling = .classToken
        case "avg" where tower.pooling != .attention: tower.pooling = .meanPatches
        case let name:
            throw .malformed(path, "states the pooling \"\(name)\" of images, which the tensors do not have")
        }
        let projection = vision["timm_proj"]?.string ?? "linear"
        guard ["none", "linear"].contains(projection), (projection == "linear") == (tower.projectionWidth > 0) else {
            throw .malformed(
                path,
                "states the projection \"\(projection)\" of images, which the tensors do not have or is not supported")
        }
    }

    /// Adds what the shapes do not show of the text tower.
    func apply(to tower: inout TextTowerConfiguration) throws(CheckpointError) {
        tower.activation = try activation(text)
        tower.layerNormEpsilon = try epsilon(text)
        try tower.setHeads(try integer("heads", of: text) ?? 8, path: path)
        try checkSizes(
            text,
            [
                ("vocab_size", tower.vocabularySize), ("width", tower.width), ("layers", tower.depth),
                ("context_length", tower.contextLength),
            ])
        tower.isCausal = text["no_causal_mask"]?.bool != true
        switch text["pool_type"]?.string ?? "argmax" {
        case "argmax": tower.pooling = .highest
        case "last": tower.pooling = .last
        case "first": tower.pooling = .first
        case "eos": tower.pooling = .firstOf(try integer("eos_id", of: text) ?? 2)
        case let name:
            throw .malformed(path, "states the pooling \"\(name)\" of texts; argmax, last, first and eos are known")
        }
    }

    private func checkSizes(_ json: JSON, _ sizes: [(name: String, size: Int)]) throws(CheckpointError) {
        for (name, size) in sizes {
            if let stated = try integer(name, of: json), stated != size {
                throw .malformed(path, "states a \(name) of \(stated), the tensors have \(size)")
            }
        }
    }

    private func integer(_ name: String, of json: JSON) throws(CheckpointError) -> Int? {
        try HuggingFaceConfiguration(json: json, path: path).integer(name)
    }

    private func size(of json: JSON) throws(CheckpointError) -> Size? {
        try HuggingFaceConfiguration(json: json, path: path).size("image_size")
    }

    /// GELU, or OpenAI's approximation where the model states it; `act_kwargs` may ask for that by tanh.
    private func activation(_ tower: JSON) throws(CheckpointError) -> Activation {
        let isQuick = model["quick_gelu"]?.bool ?? false
        guard let arguments = tower["act_kwargs"], arguments != .null, arguments != .object([]) else {
            return isQuick ? .quickGELU : .gelu
        }
        let approximation = arguments["approximate"]?.string
        guard !isQuick, arguments.members?.count == 1, let approximation, ["tanh", "none"].contains(approximation)
        else {
            throw .malformed(
                path, "states act_kwargs of \(arguments.text(compact: true)); {\"approximate\": \"tanh\"} is known")
        }
        return approximation == "tanh" ? .geluTanh : .gelu
    }

    private func epsilon(_ tower: JSON) throws(CheckpointError) -> Float {
        guard let arguments = tower["norm_kwargs"], arguments != .null, arguments != .object([]) else { return 1e-5 }
        guard arguments.members?.count == 1, let value = arguments["eps"]?.double, value >= 0, value < 1 else {
            throw .malformed(path, "states norm_kwargs of \(arguments.text(compact: true)); {\"eps\": 1e-06} is known")
        }
        return Float(value)
    }

    // MARK: Preprocessing

    /// What OpenCLIP's `image_transform` does where nothing is trained.
    func preprocessing(imageSize size: Size) throws(CheckpointError) -> Preprocessing {
        let name = preprocess["interpolation"]?.string ?? "bicubic"
        guard ["bicubic", "bilinear", "random"].contains(name) else {
            throw .malformed(path, "states the interpolation \(name); bicubic and bilinear are known")
        }
        var result = Preprocessing(
            resize: .exact(width: size.width, height: size.height),
            interpolation: name == "bilinear" ? .bilinear : .bicubic,
            mean: try values("mean") ?? FamilyPreprocessing.clipMean,
            std: try values("std") ?? FamilyPreprocessing.clipStd)
        switch preprocess["resize_mode"]?.string ?? "shortest" {
        case "squash": break
        case "shortest":
            result.resize =
                size.height == size.width
                ? .shortestEdge(size.height) : .cover(width: size.width, height: size.height)
            result.crop = size
        case let mode: throw .malformed(path, "states the resize_mode \(mode); shortest and squash are known")
        }
        return result
    }

    private func values(_ name: String) throws(CheckpointError) -> [Double]? {
        guard let json = preprocess[name], json != .null else { return nil }
        guard let values = json.doubles, (1...4).contains(values.count) else {
            throw .malformed(path, "states a \(name) of \(json.text(compact: true)); one number a channel was expected")
        }
        return values
    }
}

/// The settings of OpenCLIP: each is obeyed, cannot matter, is off, or ends in an error.
private enum OpenCLIPSettings {
    static let model = KnownSettings(
        obeyed: ["quick_gelu", "text_cfg", "vision_cfg"],
        harmless: [
            "cast_dtype", "custom_text", "embed_dim", "init_logit_bias", "init_logit_scale", "nonscalar_logit_scale",
            "output_dict", "preprocess_cfg",
        ])
    static let vision = KnownSettings(
        obeyed: [
            "act_kwargs", "final_ln_after_pool", "head_width", "image_size", "layers", "norm_kwargs", "patch_size",
            "pool_type", "timm_model_name", "timm_pool", "timm_proj", "width",
        ],
        harmless: [
            "attn_pooler_heads", "attn_pooler_queries", "ls_init_value", "mlp_ratio", "no_ln_pre", "output_tokens",
            "patch_dropout", "pos_embed_type", "timm_drop", "timm_drop_path", "timm_model_pretrained", "timm_proj_bias",
        ], fixed: ["block_type": [.string("default")]])
    static let text = KnownSettings(
        obeyed: [
            "act_kwargs", "context_length", "eos_id", "heads", "layers", "no_causal_mask", "norm_kwargs", "pool_type",
            "vocab_size", "width",
        ],
        harmless: [
            "final_ln_after_pool", "hf_model_pretrained", "hf_pooler_type", "hf_proj_type", "hf_tokenizer_name",
            "ls_init_value", "mlp_ratio", "output_tokens", "pad_id", "proj_bias", "proj_type", "tokenizer_kwargs",
            "tokenizer_mode",
        ], fixed: ["block_type": [.string("default")]])
    static let preprocess = KnownSettings(
        obeyed: ["interpolation", "mean", "resize_mode", "std"], harmless: ["fill_color", "mode", "size"])
}
