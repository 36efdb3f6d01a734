import Support

extension HuggingFaceConfiguration {
    /// What is read, here, where heads, decoders and labels are, or by the shapes of the tensors; and what changes no number
    /// of a trained model: training, initial values, features for backbones, the unused pooler, the mask token of
    /// pretraining, what `PretrainedConfig` keeps for texts, and where the file comes from.
    private static let known = KnownSettings(
        obeyed: [
            "decoder_hidden_size", "decoder_intermediate_size", "decoder_num_attention_heads",
            "decoder_num_hidden_layers",
            "hidden_act", "hidden_size", "id2label", "image_size", "intermediate_size", "layer_norm_eps", "mask_ratio",
            "mlp_ratio", "model_type", "norm_pix_loss", "num_attention_heads", "num_channels", "num_hidden_layers",
            "num_register_tokens", "patch_size", "problem_type", "qkv_bias", "use_swiglu_ffn",
        ],
        harmless: harmless,
        off: [.null, .bool(false), .array([]), .object([])])

    /// What `PretrainedConfig` and training keep in every file.
    static let harmless: Set<String> = [
        "_attn_implementation", "_attn_implementation_autoset", "_commit_hash", "_name_or_path", "_out_features",
        "_out_indices", "apply_layernorm", "architectures", "attention_probs_dropout_prob", "attn_implementation",
        "bos_token_id", "chunk_size_feed_forward", "classifier_dropout", "classifier_dropout_prob",
        "decoder_start_token_id",
        "drop_path_rate", "dtype", "encoder_stride", "eos_token_id", "finetuning_task", "gradient_checkpointing",
        "hidden_dropout_prob", "initializer_range", "label2id", "layerscale_value", "length_penalty", "loss_type",
        "max_length", "min_length", "name_or_path", "num_beam_groups", "num_beams", "num_labels",
        "num_return_sequences",
        "out_features", "out_indices", "output_attentions", "output_hidden_states", "pad_token_id", "pooler_act",
        "pooler_output_size", "prefix", "repetition_penalty", "reshape_hidden_states", "return_dict",
        "sep_token_id",
        "stage_names", "task_specific_params", "temperature", "tie_word_embeddings", "tokenizer_class", "top_k",
        "top_p",
        "torch_dtype", "transformers_version", "transformers.js_config", "typical_p", "use_cache", "use_mask_token",
        "diversity_penalty",
    ]

    /// Throws for a key that is not understood, unless it is off, and for one that the tensors contradict.
    func checkKeys(_ configuration: ViTConfiguration) throws(CheckpointError) {
        try Self.known.check(json, path: path)
        try checkValues(configuration)
    }

    /// Throws for a value that the tensors contradict, and for one of another kind than is expected.
    func checkValues(_ configuration: ViTConfiguration) throws(CheckpointError) {
        if let hidden = try integer("intermediate_size"), hidden != configuration.hiddenWidth {
            throw .malformed(
                path, "states an intermediate_size of \(hidden), the tensors have \(configuration.hiddenWidth)")
        }
        if let bias = json["qkv_bias"]?.bool, bias != configuration.qkvBias {
            throw .malformed(
                path,
                "states qkv_bias as \(bias), and the tensors \(configuration.qkvBias ? "have" : "lack") these biases")
        }
        for name in ["hidden_act", "model_type"] {
            if let value = json[name], value.string == nil {
                throw .malformed(path, "states \(name) as \(value.text(compact: true)); a name was expected")
            }
        }
        if let epsilon = json["layer_norm_eps"], !(epsilon.double.map { $0 >= 0 && $0 < 1 } ?? false) {
            throw .malformed(
                path, "states a layer_norm_eps of \(epsilon.text(compact: true)); a number such as 1e-6 was expected")
        }
    }
}
