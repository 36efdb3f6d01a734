import Support
import TensorFiles

extension TensorTable where Names == KeyMap {
    /// What the shapes of the tensors determine: all but the number of heads and the image size. The epsilon of the
    /// norms and the activation stay at the layout's customs.
    func description() throws(CheckpointError) -> ModelDescription {
        var description = ModelDescription()
        description.family = family
        var configuration = ViTConfiguration()
        configuration.width = try extent(0, of: "patch_embed.proj.weight")
        configuration.inputChannels = try extent(1, of: "patch_embed.proj.weight")
        configuration.patchSize = Size(
            height: try extent(2, of: "patch_embed.proj.weight"), width: try extent(3, of: "patch_embed.proj.weight"))
        configuration.depth = depth
        guard depth > 0 else { throw .malformed(path, "has no encoder block") }
        configuration.hiddenWidth = try extent(0, of: "blocks.0.mlp.fc1.weight")
        guard shape(of: "blocks.0.mlp.fc2.weight") != [configuration.width, configuration.hiddenWidth / 2] else {
            throw .malformed(path, "holds a model with a SwiGLU MLP, which is not supported")
        }
        configuration.qkvBias = contains("blocks.0.attn.qkv.bias")
        configuration.patchBias = contains("patch_embed.proj.bias")
        configuration.hasPreNorm = contains("norm_pre.weight")
        configuration.hasClassToken = contains("cls_token")
        configuration.hasDistillationToken = contains("dist_token")
        configuration.registerCount = contains("reg_token") ? try extent(1, of: "reg_token") : 0
        configuration.hasLayerScale = contains("blocks.0.ls1.gamma")
        configuration.finalNorm =
            contains("fc_norm.weight") && names.layout != .jax ? .afterPooling : .beforePooling
        let isMeanPooled = configuration.finalNorm == .afterPooling || !configuration.hasClassToken
        configuration.pooling =
            contains("attn_pool.latent") ? .attention : isMeanPooled ? .meanPatches : .classToken
        configuration.classCount = contains("head.weight") ? try extent(0, of: "head.weight") : 0
        configuration.positionInterpolation = names.layout.isHuggingFace ? .transformers : .timm
        // transformers' default for all but DINOv2; everybody else uses 1e-6, but for timm's CLIP towers.
        let isTransformersNorm = names.layout.isHuggingFace && description.family != .dinov2
        configuration.layerNormEpsilon = isTransformersNorm ? 1e-12 : configuration.timmEpsilon
        description.configuration = configuration
        try dropUnusableHead(&description)
        for part in KeyMap.batchNormNames where names.spelling["head.weight"] != nil {
            description.ignored[part] = "the batch norm before the head, which is folded into it"
        }
        if configuration.hasDistillationToken, description.configuration.classCount > 0, !contains("head_dist.weight") {
            // Without a head of its own it is a register, but for its position.
            description.configuration.hasDistillationToken = false
            description.configuration.registerCount += 1
            description.folds = [
                PositionFold(token: "cls_token", source: "cls_token", rows: 0..<1),
                PositionFold(token: "reg_token", source: "dist_token", rows: 1..<2),
            ]
        }
        return description
    }

    private var family: Family {
        switch names.layout {
        case .mae: return .mae
        case .deit: return .deit
        case .dinov2: return .dinov2
        default: break
        }
        if names.prefix.hasSuffix("dinov2.") || names.prefix.hasSuffix("dinov2_with_registers.") { return .dinov2 }
        if contains("reg_token") { return .dinov2 }
        if names.spelling["norm1"] == "norm1" { return .dinov2 }
        if decoderDepth > 0 { return .mae }
        return contains("dist_token") ? .deit : .vit
    }

    /// One more than the highest number of a block, and of a decoder block.
    private var depth: Int { count { names.blockIndex(of: $0) } }
    var decoderDepth: Int { count { names.decoderBlockIndex(of: $0) } }

    /// A head that sees more than pooled tokens cannot be used: the encoder is kept, and the loss is said.
    private func dropUnusableHead(_ description: inout ModelDescription) throws(CheckpointError) {
        let width = description.configuration.width
        guard description.configuration.classCount > 0 else { return }
        let reason: String
        if tensors.keys.contains(where: { $0.contains("pre_logits") }) {
            reason = "the head follows a layer (pre_logits) that this package lacks"
        } else if names.layout.isHuggingFace, try extent(1, of: "head.weight") == 2 * width {
            guard names.spelling["norm1"] != "norm1" else {
                // transformers' DINOv2 classifiers.
                description.configuration.pooling = .classTokenAndMean
                return
            }
            reason = "the head reads twice the width of a token, which only DINOv2's classifiers are known to do"
        } else {
            return
        }
        description.configuration.classCount = 0
        description.assumptions.append("The encoder is used without its head: \(reason).")
        for name in ["head.weight", "head.bias"] {
            for part in names.parts(of: name) where tensors[part.name] != nil {
                description.ignored[part.name] = reason
            }
        }
    }

    /// The attention heads that a JAX checkpoint's shapes state.
    var statedHeads: Int? {
        guard names.layout == .jax, let (_, query) = parts(of: "blocks.0.attn.qkv.weight")?.first,
            query.shape.count == 3
        else { return nil }
        return query.shape[1]
    }
}

extension ModelDescription {
    /// Sets the number of heads where nothing states it: 64 wide each, as in all published models but the largest.
    mutating func assumeHeads(path: String) throws(CheckpointError) {
        let width = configuration.width
        // ViT-so400m, huge, giant and gigantic have 16 heads of 72, 80, 88 and 104.
        let isSixteen = [1152, 1280, 1408, 1664].contains(width)
        guard isSixteen || width % 64 == 0 else {
            throw .malformed(
                path,
                "does not state the number of attention heads, and a width of \(width) is no multiple of 64, the usual "
                    + "width of a head; lay a config.json with {\"num_attention_heads\": …} beside it")
        }
        configuration.heads = isSixteen ? 16 : width / 64
        assumptions.append(
            "\(configuration.heads) attention heads of \(configuration.headWidth), as is usual for a width of \(width)."
        )
    }

    /// Fits the position table to the image: which prefix tokens have rows in it, and what grid the rest stands for.
    ///
    /// - Parameter stated: the image size that a file states.
    mutating func fitPositions(rows stored: Int, stated: Size?, path: String) throws(CheckpointError) {
        let patch = configuration.patchSize
        statesImageSize = stated != nil
        if let stated { configuration.imageSize = stated }
        if stated != nil, folds.isEmpty, configuration.registerCount > 0,
            stored == configuration.patchCount + configuration.prefixCount
        {
            foldRegisters()
        }
        let rows = stored - (folds.last?.rows.upperBound ?? 0)
        let prefix = folds.isEmpty ? configuration.prefixCount - configuration.registerCount : 0
        if !folds.isEmpty { configuration.prefixHasPosition = false }
        if stated != nil {
            let patches = configuration.patchCount
            if rows == patches + prefix || rows == patches {
                if folds.isEmpty { configuration.prefixHasPosition = prefix == 0 || rows > patches }
                return
            }
        }
        let candidates = prefix == 0 ? [0] : [prefix, 0]
        for prefixRows in candidates {
            guard let side = squareRoot(rows - prefixRows) else { continue }
            let size = Size(height: side * patch.height, width: side * patch.width)
            if folds.isEmpty { configuration.prefixHasPosition = prefix == 0 || prefixRows > 0 }
            if stated == nil {
                configuration.imageSize = size
                assumptions.append("An image of \(size.width) × \(size.height) pixels, for \(side) × \(side) patches.")
            } else {
                configuration.positionImageSize = size
            }
            return
        }
        throw .malformed(
            path,
            "has \(rows) positions, which is neither the stated grid of patches nor a square one; "
                + "lay a config.json with {\"image_size\": [height, width]} beside it")
    }

    /// Registers with positions, and with them the tokens before them.
    private mutating func foldRegisters() {
        var first = 0
        let tokens = [
            ("cls_token", configuration.hasClassToken ? 1 : 0),
            ("dist_token", configuration.hasDistillationToken ? 1 : 0), ("reg_token", configuration.registerCount),
        ]
        for (token, count) in tokens where count > 0 {
            folds.append(PositionFold(token: token, source: token, rows: first..<first + count))
            first += count
        }
    }

    private func squareRoot(_ value: Int) -> Int? {
        guard value > 0 else { return nil }
        let root = Int(Double(value).squareRoot().rounded())
        return root * root == value ? root : nil
    }
}
