extension KeyMap {
    /// The layout of a checkpoint, or nil where none is known.
    static func detect(_ files: CheckpointFiles) -> KeyMap? {
        // A directory for timm says whose weights it holds.
        let isTimm = files.configuration?.json["architecture"] != nil
        let trained = isTimm ? nil : files.weights.notes["args.model"]?.string
        guard var map = detect(names: files.names, trained: trained) else { return nil }
        if isTimm, map.layout == .deit, map.spelling.isEmpty { map.layout = .timm }
        return map
    }

    /// The layout that the names of the tensors show, or nil where none is known.
    ///
    /// - Parameter trained: the model's name in the arguments of the script that trained it, where the file has them.
    static func detect(names: [String], trained: String?) -> KeyMap? {
        if let map = jax(names: names) ?? huggingFace(names: names) { return map }
        guard names.contains("patch_embed.proj.weight") else { return nil }
        let present = Set(names)
        var map = KeyMap(layout: .timm)
        if present.contains("register_tokens") {
            map.layout = .dinov2
            map.spelling["reg_token"] = "register_tokens"
        }
        if present.contains("blocks.0.gamma_1"), !present.contains("blocks.0.ls1.gamma") {
            map.layout = .deit
            map.spelling["ls1"] = "gamma_1"
            map.spelling["ls2"] = "gamma_2"
        }
        if present.contains(batchNormNames[0]), present.contains("head.1.weight") {
            map.layout = .mae
            map.spelling["head.weight"] = "head.1.weight"
            map.spelling["head.bias"] = "head.1.bias"
        }
        if names.contains(where: { $0.hasPrefix("decoder_blocks.") }) {
            map.layout = .mae
        } else if present.contains("mask_token") {
            map.layout = .dinov2
        } else if map.layout == .timm {
            // The names are timm's: no wrapper around them says whose weights they are, only what the script noted.
            if let trained, trained.hasPrefix("mae_vit_") || maeModels.contains(trained) {
                map.layout = .mae
            } else if present.contains("dist_token") || trained?.hasPrefix("deit_") == true {
                map.layout = .deit
            }
        }
        return map
    }

    /// What MAE's fine-tuning calls its models; timm's names end in the size of the image.
    private static let maeModels = ["vit_base_patch16", "vit_large_patch16", "vit_huge_patch14"]

    /// The batch norm, without weights of its own, that MAE's linear probe puts before the head.
    static let batchNormNames = ["head.0.running_mean", "head.0.running_var", "head.0.num_batches_tracked"]

    /// What a checkpoint holds that no model of this package has, in words; nil where nothing of that sort is known.
    static func unsupportedFeature(names: [String]) -> String? {
        // In one text and by bytes: searching every name as text takes longer than all else at opening.
        let bytes = Array(names.joined(separator: "\n").utf8)
        return unsupportedParts.first { contains(bytes, Array($0.0.utf8)) }?.1
    }

    private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        guard let first = part.first, bytes.count >= part.count else { return false }
        for start in 0...bytes.count - part.count where bytes[start] == first {
            if part.indices.allSatisfy({ bytes[start + $0] == part[$0] }) { return true }
        }
        return false
    }

    private static let unsupportedParts: [(String, String)] = [
        (".q_norm.", "norms on queries and keys"),
        (".mlp.w12.", "a SwiGLU MLP"), (".mlp.weights_in.", "a SwiGLU MLP"), (".mlp.gate_proj.", "a SwiGLU MLP"),
        (".mlp.fc1_g.", "a SwiGLU MLP"),
        (".attns.", "parallel branches in its blocks"), (".in_proj.", "parallel branches in its blocks"),
        (".attn.lambda_q1", "differential attention"),
        ("relative_position_bias_table", "relative position biases (as BEiT has)"),
        ("patch_embed.backbone.", "a convolutional stem (a hybrid ViT)"), ("conv_root", "a ResNet stem (a hybrid ViT)"),
        ("layers.0.blocks.0.", "windows in stages (as Swin has)"),
    ]

    /// Why a stored tensor may stand unused, or nil where it may not.
    func reasonToIgnore(_ stored: String, hasDecoder: Bool) -> String? {
        switch layout {
        case .huggingFace, .huggingFaceModern:
            if stored.hasPrefix(prefix + "pooler.") {
                return "the pooler, which neither classification nor features use"
            }
            if stored == prefix + "embeddings.mask_token" { return "used in pre-training alone" }
            if stored.hasSuffix("position_ids") { return "a numbering of positions, not a weight" }
            if !hasDecoder, stored.hasPrefix("decoder.0.") { return "the decoder of masked image modelling" }
        case .timm, .deit, .mae, .dinov2:
            if !hasDecoder, stored == "mask_token" { return "used in pre-training alone" }
            if stored.hasPrefix("pre_logits.") { return "a layer between pooling and head, which this package lacks" }
        case .openCLIP: break
        case .jax:
            if stored.hasPrefix(prefix + "pre_logits/") {
                return "a layer between pooling and head, which this package lacks"
            }
        }
        return nil
    }
}
