extension KeyMap {
    /// The stored tensors of a canonical one in Google's layout, where inputs stand before outputs and the heads have a
    /// dimension of their own.
    ///
    /// Sources: the modules of google-research/vision_transformer, Flax's Dense, Conv and DenseGeneral.
    func jaxParts(_ name: CanonicalName) -> [TensorPart] {
        let isWeight = name.suffix == "weight"
        switch name.place {
        case .model:
            switch name.field {
            case "cls_token": return [TensorPart(prefix + "cls")]
            case "pos_embed": return [TensorPart(prefix + "Transformer/posembed_input/pos_embedding")]
            case "patch_embed.proj":
                // Convolution kernels: rows, columns, channels, width.
                return [isWeight ? kernel("embedding", [3, 2, 0, 1]) : bias("embedding")]
            case "norm", "fc_norm": return [norm("Transformer/encoder_norm", isWeight: isWeight)]
            default: return [isWeight ? kernel(name.field, [1, 0]) : bias(name.field)]
            }
        case .block(let index), .decoderBlock(let index):
            return jaxBlockParts("Transformer/encoderblock_\(index)/", name.field, isWeight: isWeight)
        }
    }

    private func jaxBlockParts(_ block: String, _ field: String, isWeight: Bool) -> [TensorPart] {
        let attention = block + "MultiHeadDotProductAttention_1/"
        switch field {
        case "norm1": return [norm(block + "LayerNorm_0", isWeight: isWeight)]
        case "norm2": return [norm(block + "LayerNorm_2", isWeight: isWeight)]
        case "attn.qkv":
            return ["query", "key", "value"].map { role in
                // Kernel (width, heads, head width), bias (heads, head width).
                isWeight
                    ? kernel(attention + role, [1, 2, 0], merging: [2, 1]) : bias(attention + role, merging: [2])
            }
        case "attn.proj":
            // Kernel (heads, head width, width).
            return [isWeight ? kernel(attention + "out", [2, 0, 1], merging: [1, 2]) : bias(attention + "out")]
        case "mlp.fc1", "mlp.fc2":
            let dense = block + "MlpBlock_3/" + (field == "mlp.fc1" ? "Dense_0" : "Dense_1")
            return [isWeight ? kernel(dense, [1, 0]) : bias(dense)]
        default: return [TensorPart(prefix + block + field)]
        }
    }

    private func kernel(_ module: String, _ permutation: [Int], merging: [Int]? = nil) -> TensorPart {
        TensorPart(prefix + module + "/kernel", permutation: permutation, merging: merging)
    }

    private func bias(_ module: String, merging: [Int]? = nil) -> TensorPart {
        TensorPart(prefix + module + "/bias", merging: merging)
    }

    private func norm(_ module: String, isWeight: Bool) -> TensorPart {
        TensorPart(prefix + module + (isWeight ? "/scale" : "/bias"))
    }

    /// Google's names, recognized by the names in a checkpoint.
    static func jax(names: [String]) -> KeyMap? {
        let anchor = "Transformer/encoderblock_0/"
        guard let range = names.first(where: { $0.contains(anchor) }) else { return nil }
        var map = KeyMap(layout: .jax)
        var prefix = ""
        for part in range.split(separator: "/", omittingEmptySubsequences: false) {
            if part == "Transformer" { break }
            prefix += part + "/"
        }
        map.prefix = prefix
        map.blockPrefix = "Transformer/encoderblock_"
        return map
    }
}
