// The names of transformers' CLIP and SigLIP, and of OpenCLIP.
extension TowerNames {
    func transformersNames(_ name: CanonicalName, isText: Bool) -> [String] {
        let prefix = isText ? textPrefix ?? "" : visionPrefix
        let suffix = name.suffix.isEmpty ? "" : "." + name.suffix
        if case .block(let index) = name.place {
            let fields = Self.transformersBlock[name.field] ?? [name.field]
            return fields.map { "\(blockStart(isText: isText))\(index).\($0)\(suffix)" }
        }
        if name.field == "projection" {
            if !isText { return ["visual_projection\(suffix)"] }
            return [hasTextHead ? "\(prefix)head\(suffix)" : "text_projection\(suffix)"]
        }
        if !isText, name.field == "head" { return ["classifier\(suffix)"] }
        if name.field == "attn_pool.in_proj" { return ["\(prefix)head.attention.in_proj_\(name.suffix)"] }
        if name.field == "pos_embed" { return ["\(prefix)embeddings.position_embedding.weight"] }
        let fields = isText ? Self.transformersText : Self.transformersVision
        return [prefix + (fields[name.field] ?? name.field) + suffix]
    }

    private static let transformersBlock = [
        "norm1": ["layer_norm1"], "norm2": ["layer_norm2"],
        "attn.qkv": ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"], "attn.proj": ["self_attn.out_proj"],
    ]

    private static let transformersVision = [
        "cls_token": "embeddings.class_embedding", "patch_embed.proj": "embeddings.patch_embedding",
        // Spelled so.
        "norm_pre": "pre_layrnorm", "norm": "post_layernorm",
        "attn_pool.latent": "head.probe", "attn_pool.proj": "head.attention.out_proj",
        "attn_pool.norm": "head.layernorm", "attn_pool.mlp.fc1": "head.mlp.fc1", "attn_pool.mlp.fc2": "head.mlp.fc2",
    ]

    private static let transformersText = [
        "token_embed": "embeddings.token_embedding", "norm": "final_layer_norm",
    ]

    func openCLIPPart(_ name: CanonicalName, isText: Bool) -> TensorPart {
        let prefix = isText ? textPrefix ?? "" : visionPrefix
        let suffix = name.suffix.isEmpty ? "" : "." + name.suffix
        if case .block(let index) = name.place {
            let block = "\(blockStart(isText: isText))\(index)."
            if name.field == "attn.qkv" { return TensorPart("\(block)attn.in_proj_\(name.suffix)") }
            return TensorPart(block + (Self.openCLIPBlock[name.field] ?? name.field) + suffix)
        }
        if name.field == "projection" {
            if !isText { return TensorPart("\(prefix)proj", permutation: [1, 0]) }
            if hasLinearTextProjection { return TensorPart("\(prefix)text_projection\(suffix)") }
            return TensorPart("\(prefix)text_projection", permutation: [1, 0])
        }
        let fields = isText ? Self.openCLIPText : Self.openCLIPVision
        return TensorPart(prefix + (fields[name.field] ?? name.field) + suffix)
    }

    private static let openCLIPBlock = [
        "norm1": "ln_1", "norm2": "ln_2", "attn.proj": "attn.out_proj", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj",
        "ls1": "ls_1", "ls2": "ls_2",
    ]

    private static let openCLIPVision = [
        "cls_token": "class_embedding", "pos_embed": "positional_embedding", "patch_embed.proj": "conv1",
        "norm_pre": "ln_pre", "norm": "ln_post", "fc_norm": "ln_post",
    ]

    private static let openCLIPText = [
        "token_embed": "token_embedding", "pos_embed": "positional_embedding", "norm": "ln_final",
    ]

    // MARK: Recognition

    private static let transformersAnchor = "embeddings.patch_embedding.weight"
    static let anchors = [
        "vision_model." + transformersAnchor, transformersAnchor, "visual.conv1.weight",
        "visual.trunk.patch_embed.proj.weight",
    ]

    /// The names of a checkpoint with a vision tower, recognized by the names in it; nil where it has none.
    static func detect(_ names: [String]) -> TowerNames? {
        guard let anchor = anchors.first(where: { names.contains($0) }) else { return nil }
        if anchor.hasSuffix(transformersAnchor) {
            var map = TowerNames(vision: .transformers, visionPrefix: String(anchor.dropLast(transformersAnchor.count)))
            if names.contains("text_model.embeddings.token_embedding.weight") { map.textPrefix = "text_model." }
            map.hasTextHead = names.contains("text_model.head.weight")
            map.isClassifier = names.contains("classifier.weight")
            return map
        }
        let isTimm = anchor != "visual.conv1.weight"
        var map = TowerNames(vision: isTimm ? .timm : .openCLIP, visionPrefix: isTimm ? "visual.trunk." : "visual.")
        map.textPrefix = ["", "text."].first { names.contains($0 + "token_embedding.weight") }
        map.hasLinearTextProjection = names.contains("\(map.textPrefix ?? "")text_projection.weight")
        return map
    }
}
