import Support

extension TimmConfiguration {
    /// Arguments of timm's models that are read, or that the tensors show.
    private static let obeyed: Set<String> = [
        "act_layer", "class_token", "depth", "depth_token_only", "embed_dim", "fc_norm", "global_pool", "img_size",
        "in_chans", "init_values", "mlp_ratio", "mlp_ratio_token_only", "no_embed_class", "num_classes", "num_heads",
        "patch_size", "pool_include_prefix", "qkv_bias", "reg_tokens",
    ]

    /// Arguments that change no number of a trained model.
    private static let harmless: Set<String> = [
        "attn_drop_rate", "device", "drop_block_rate", "drop_path_rate", "drop_rate", "dtype", "dynamic_img_pad",
        "dynamic_img_size", "fix_init", "patch_drop_rate", "pos_drop_rate", "pretrained", "proj_drop_rate",
        "strict_img_size", "weight_init",
    ]

    /// Arguments that are right with these values alone.
    private static let fixed: [String: [JSON]] = [
        "attn_layer": [.string("attn")], "final_norm": [.bool(true)], "mlp_layer": [.string("mlp")],
        "norm_layer": [.string("layernorm")], "pos_embed": [.string("learn")], "proj_bias": [.bool(true)],
    ]

    /// Throws for an argument that is not understood, unless it is off.
    func checkArguments() throws(CheckpointError) {
        for member in arguments.members ?? [] where !Self.obeyed.contains(member.name) {
            if Self.harmless.contains(member.name) || [.null, .bool(false)].contains(member.value) {
                // What is on where nothing is said cannot be switched off.
                guard member.value == .bool(false), Self.fixed[member.name] != nil else { continue }
            }
            if Self.fixed[member.name]?.contains(member.value) == true { continue }
            throw .malformed(
                path,
                "gives the model the argument \(member.name), \(member.value.text(compact: true)), which is not understood and "
                    + "may change what it computes")
        }
    }
}
