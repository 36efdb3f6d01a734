extension KeyMap {
    /// The stored names of a canonical tensor in transformers' layouts; queries, keys and values come apart.
    func huggingFaceNames(_ name: CanonicalName) -> [String] {
        let suffix = name.suffix.isEmpty ? "" : "." + name.suffix
        switch name.place {
        case .block(let index): return blockNames(blockStart + "\(index).", name)
        case .decoderBlock(let index): return blockNames(decoderBlockPrefix + "\(index).", name)
        case .model:
            if let field = Self.embeddingFields[name.field] { return [prefix + "embeddings." + field + suffix] }
            if name.field == "norm" { return [prefix + "layernorm" + suffix] }
            if let field = spelling[name.field] { return [field + suffix] }
            if name.field == "mask_token" || name.field.hasPrefix("decoder_") {
                return ["decoder." + name.field + suffix]
            }
            return [prefix + name.field + suffix]
        }
    }

    private func blockNames(_ block: String, _ name: CanonicalName) -> [String] {
        let fields = spelling["attention"] == "modern" ? Self.modernFields : Self.classicFields
        let suffix = name.field.hasPrefix("ls") ? ".lambda1" : name.suffix.isEmpty ? "" : "." + name.suffix
        if let norm = spelling[name.field] { return [block + norm + suffix] }
        return (fields[name.field] ?? Self.sharedFields[name.field] ?? [name.field]).map { block + $0 + suffix }
    }

    private static let embeddingFields = [
        "cls_token": "cls_token", "dist_token": "distillation_token", "reg_token": "register_tokens",
        "pos_embed": "position_embeddings", "patch_embed.proj": "patch_embeddings.projection",
    ]

    private static let classicFields = [
        "attn.qkv": ["query", "key", "value"].map { "attention.attention.\($0)" },
        "attn.proj": ["attention.output.dense"],
        "mlp.fc1": ["intermediate.dense"], "mlp.fc2": ["output.dense"],
    ]

    private static let modernFields = [
        "attn.qkv": ["q_proj", "k_proj", "v_proj"].map { "attention.\($0)" },
        "attn.proj": ["attention.o_proj"],
        "mlp.fc1": ["mlp.fc1"], "mlp.fc2": ["mlp.fc2"],
    ]

    private static let sharedFields = ["ls1": ["layer_scale1"], "ls2": ["layer_scale2"]]

    /// The tensor that shows transformers' layouts.
    static let huggingFaceAnchor = "embeddings.patch_embeddings.projection.weight"

    /// The spelling that a checkpoint of transformers uses, recognized by the names in it.
    ///
    /// transformers writes the classic names for ViT and DeiT, and calls DINOv2's norms and MLP otherwise. Its version
    /// 5 knows new names for all of them, and writes those of MAE's decoder in a third way.
    static func huggingFace(names: [String]) -> KeyMap? {
        let anchor = huggingFaceAnchor
        guard let patches = names.first(where: { $0 == anchor || $0.hasSuffix("." + anchor) }) else { return nil }
        let modern = names.contains { $0.contains(".attention.q_proj.") }
        var map = KeyMap(layout: modern ? .huggingFaceModern : .huggingFace)
        map.prefix = String(patches.dropLast(anchor.count))
        let hasLayers = names.contains { $0.hasPrefix(map.prefix + "layers.") }
        map.blockPrefix = hasLayers ? "layers." : "encoder.layer."
        let decoders = ["decoder.decoder_encoder.layer.", "decoder.decoder_layers."]
        map.decoderBlockPrefix = decoders.first { prefix in names.contains { $0.hasPrefix(prefix) } } ?? decoders[1]
        map.blocksHavePrefix = hasLayers || names.contains { $0.hasPrefix(map.prefix + map.blockPrefix) }
        let block = map.blockStart
        let isDINO = names.contains { $0.hasPrefix(block) && $0.contains(".norm1.") }
        map.spelling = spelling(modern: modern, dino: isDINO, distilled: names.contains("cls_classifier.weight"))
        if names.contains(where: { $0.hasPrefix(block) && $0.contains(".mlp.fc1.") }), !modern {
            map.spelling["mlp.fc1"] = "mlp.fc1"
            map.spelling["mlp.fc2"] = "mlp.fc2"
        }
        return map
    }

    static func spelling(modern: Bool, dino: Bool, distilled: Bool) -> [String: String] {
        var spelling = ["norm1": "layernorm_before", "norm2": "layernorm_after", "head": "classifier"]
        if modern { spelling["attention"] = "modern" }
        if dino {
            spelling["norm1"] = "norm1"
            spelling["norm2"] = "norm2"
            spelling["mlp.fc1"] = "mlp.fc1"
            spelling["mlp.fc2"] = "mlp.fc2"
        }
        if distilled {
            spelling["head"] = "cls_classifier"
            spelling["head_dist"] = "distillation_classifier"
        }
        return spelling
    }
}
