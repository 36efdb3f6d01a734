import Support

extension TimmConfiguration {
    /// The arguments of timm's models: read, or shown by the tensors; without effect on a trained model; and those that no
    /// model of this package has another value of.
    private static let known = KnownSettings(
        obeyed: [
            "act_layer", "class_token", "depth", "depth_token_only", "embed_dim", "fc_norm", "final_norm",
            "global_pool", "img_size",
            "in_chans", "init_values", "mlp_ratio", "mlp_ratio_token_only", "no_embed_class", "num_classes",
            "num_heads",
            "patch_size", "pool_include_prefix", "pre_norm", "qkv_bias", "reg_tokens",
        ],
        harmless: [
            "attn_drop_rate", "device", "drop_block_rate", "drop_path_rate", "drop_rate", "dtype", "dynamic_img_pad",
            "dynamic_img_size", "fix_init", "patch_drop_rate", "pos_drop_rate", "pretrained", "proj_drop_rate",
            "strict_img_size", "weight_init",
        ],
        fixed: [
            "attn_layer": [.string("attn")], "mlp_layer": [.string("mlp")],
            "norm_layer": [.string("layernorm")], "pos_embed": [.string("learn")], "proj_bias": [.bool(true)],
        ])

    /// Throws for an argument that is not understood, unless it is off.
    func checkArguments() throws(CheckpointError) {
        guard let argument = Self.known.unknown(in: arguments).first else { return }
        throw .malformed(
            path,
            "gives the model the argument \(argument.name), \(argument.value.text(compact: true)), which is not understood "
                + "and may change what it computes")
    }
}
