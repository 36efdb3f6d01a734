import Compute
import Imaging
import Support

/// OpenCLIP's `open_clip_config.json`, of towers of its own: those of timm have a name there, and no sizes.
struct OpenCLIPTowersJSON {
    let json: JSON
    /// Whether the text tower is an object of its own there.
    let isCustomText: Bool
    /// What cannot be said, a sentence each.
    let notes: [String]

    init(
        _ model: TwoTowerConfiguration, imageSize: Size, preprocessing: Preprocessing, directory: String
    ) throws(CheckpointError) {
        if let obstacle = Self.obstacle(model) {
            throw .malformed(
                directory, "OpenCLIP has no towers of its own with \(obstacle); the layout hf may hold them")
        }
        isCustomText = model.text.projectionBias || !model.text.isCausal
        var members = [JSON.Member("embed_dim", .integer(model.embeddingWidth))]
        if model.vision.activation == .quickGELU { members.append(JSON.Member("quick_gelu", .bool(true))) }
        if isCustomText { members.append(JSON.Member("custom_text", .bool(true))) }
        if model.hasLogitBias { members.append(JSON.Member("init_logit_bias", .number(-10))) }
        members.append(JSON.Member("vision_cfg", .object(Self.vision(model.vision, imageSize))))
        members.append(JSON.Member("text_cfg", .object(Self.text(model.text))))
        let (transform, isExact) = Self.transform(preprocessing, model.vision)
        json = .object([JSON.Member("model_cfg", .object(members)), JSON.Member("preprocess_cfg", transform)])
        notes = isExact ? [] : ["OpenCLIP's settings cannot say all of the preprocessing."]
    }

    private static func obstacle(_ model: TwoTowerConfiguration) -> String? {
        let (vision, text) = (model.vision, model.text)
        if vision.pooling == .attention { return "attention pooling" }
        if vision.projectionWidth == 0 { return "no projection of images" }
        if text.projectionWidth == 0 { return "no projection of texts" }
        if vision.patchBias || !vision.hasClassToken { return "another embedding of patches than CLIP's" }
        if vision.activation != text.activation, [vision.activation, text.activation].contains(.quickGELU) {
            return "the quick GELU in one tower alone"
        }
        return vision.patchSize.height == vision.patchSize.width ? nil : "patches that are not square"
    }

    private static func common(
        activation: Activation, epsilon: Float, ratio: Double, hasLayerScale: Bool
    ) -> [JSON.Member] {
        var members: [JSON.Member] = []
        if ratio != 4 { members.append(JSON.Member("mlp_ratio", .number(ratio))) }
        if hasLayerScale { members.append(JSON.Member("ls_init_value", .number(1e-5))) }
        if activation == .geluTanh {
            members.append(JSON.Member("act_kwargs", .object([JSON.Member("approximate", .string("tanh"))])))
        }
        if epsilon != 1e-5 {
            members.append(JSON.Member("norm_kwargs", .object([JSON.Member("eps", .number(JSON.decimal(epsilon)))])))
        }
        return members
    }

    /// The ratio whose product with the width is rounded down to the hidden width.
    private static func ratio(_ hidden: Int, _ width: Int) -> Double {
        let ratio = Double(hidden) / Double(width)
        return Int(Double(width) * ratio) < hidden ? ratio.nextUp : ratio
    }

    private static func vision(_ tower: ViTConfiguration, _ imageSize: Size) -> [JSON.Member] {
        var members = [
            JSON.Member("image_size", JSON.side(imageSize)), JSON.Member("layers", .integer(tower.depth)),
            JSON.Member("width", .integer(tower.width)), JSON.Member("patch_size", .integer(tower.patchSize.height)),
        ]
        if tower.headWidth != 64 { members.append(JSON.Member("head_width", .integer(tower.headWidth))) }
        if !tower.hasPreNorm { members.append(JSON.Member("no_ln_pre", .bool(true))) }
        if tower.pooling == .meanPatches {
            members.append(JSON.Member("pool_type", .string("avg")))
            members.append(JSON.Member("final_ln_after_pool", .bool(tower.finalNorm == .afterPooling)))
        }
        return members
            + common(
                activation: tower.activation, epsilon: tower.layerNormEpsilon,
                ratio: ratio(tower.hiddenWidth, tower.width),
                hasLayerScale: tower.hasLayerScale)
    }

    private static func text(_ tower: TextTowerConfiguration) -> [JSON.Member] {
        var members = [
            JSON.Member("context_length", .integer(tower.contextLength)),
            JSON.Member("vocab_size", .integer(tower.vocabularySize)), JSON.Member("width", .integer(tower.width)),
            JSON.Member("heads", .integer(tower.heads)), JSON.Member("layers", .integer(tower.depth)),
        ]
        if !tower.isCausal { members.append(JSON.Member("no_causal_mask", .bool(true))) }
        if tower.projectionBias { members.append(JSON.Member("proj_bias", .bool(true))) }
        switch tower.pooling {
        case .highest: break
        case .first: members.append(JSON.Member("pool_type", .string("first")))
        case .last: members.append(JSON.Member("pool_type", .string("last")))
        case .firstOf(let number):
            members += [JSON.Member("pool_type", .string("eos")), JSON.Member("eos_id", .integer(number))]
        }
        return members
            + common(
                activation: tower.activation, epsilon: tower.layerNormEpsilon,
                ratio: ratio(tower.hiddenWidth, tower.width),
                hasLayerScale: tower.hasLayerScale)
    }

    private static func transform(_ preprocessing: Preprocessing, _ tower: ViTConfiguration) -> (JSON, isExact: Bool) {
        let size = tower.imageSize
        let isSquashed = preprocessing.resize == .exact(width: size.width, height: size.height)
        let covers: Preprocessing.Resize =
            size.height == size.width
            ? .shortestEdge(size.height) : .cover(width: size.width, height: size.height)
        let isCropped = preprocessing.resize == covers && preprocessing.crop == size
        let isExact =
            (isSquashed || isCropped) && [.bicubic, .bilinear].contains(preprocessing.interpolation)
            && abs(preprocessing.rescaleFactor * 255 - 1) < 1e-9
        let json = JSON.object([
            JSON.Member("mean", JSON.channels(preprocessing.mean, tower.inputChannels)),
            JSON.Member("std", JSON.channels(preprocessing.std, tower.inputChannels)),
            JSON.Member("interpolation", .string(preprocessing.interpolation.rawValue)),
            JSON.Member("resize_mode", .string(isSquashed ? "squash" : "shortest")),
        ])
        return (json, isExact)
    }
}
