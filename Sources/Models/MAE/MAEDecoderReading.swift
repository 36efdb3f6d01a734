import Support
import TensorFiles

/// What a checkpoint says of its decoder.
struct MAEDecoderReading {
    private(set) var decoder: MAEDecoderConfiguration
    private var statedTarget: MAEConfiguration.Target?
    /// The share of patches that the decoder was trained without, where a file states it.
    private(set) var maskRatio: Double?
    /// What the decoder was trained to produce.
    private(set) var target = MAEConfiguration.Target.normalized
    /// The settings that no file states.
    private(set) var unstated: Set<String> = []

    /// Reads names, shapes and configuration files; what is assumed is said in `reading`.
    init(_ reading: inout ViTReading, _ weights: TensorFile) throws(CheckpointError) {
        decoder = try reading.table.decoder()
        if let configuration = reading.huggingFace {
            try read(configuration)
        } else {
            if let configuration = reading.timm { try read(configuration) }
            if reading.timm?.json["decoder_num_heads"] == nil {
                reading.description.assumptions.append("\(decoder.heads) attention heads in the decoder.")
            }
        }
        guard decoder.heads > 0, decoder.width % decoder.heads == 0 else {
            throw .malformed(
                reading.table.path,
                "has a decoder of width \(decoder.width), which \(decoder.heads) heads do not divide")
        }
        readNotes(of: weights, &reading.description.assumptions)
    }

    private mutating func read(_ configuration: HuggingFaceConfiguration) throws(CheckpointError) {
        let (json, path) = (configuration.json, configuration.path)
        decoder.heads = try configuration.integer("decoder_num_attention_heads") ?? 16
        guard decoder.width % decoder.heads == 0 else {
            throw .malformed(
                path, "states \(decoder.heads) decoder heads, which do not divide the width of \(decoder.width)")
        }
        maskRatio = try json.maskRatio(path: path)
        if let isNormalized = json["norm_pix_loss"]?.bool {
            statedTarget = isNormalized ? .normalized : .pixels
        } else if json["model_type"] != nil {
            // transformers' default.
            statedTarget = .pixels
        }
    }

    private mutating func read(_ configuration: TimmConfiguration) throws(CheckpointError) {
        let json = configuration.json
        if let heads = json["decoder_num_heads"]?.integer, heads > 0 { decoder.heads = heads }
        if let isNormalized = json["norm_pix_loss"]?.bool { statedTarget = isNormalized ? .normalized : .pixels }
        maskRatio = try json.maskRatio(path: configuration.path)
    }

    /// What no configuration states: what the training script noted, or the convention.
    private mutating func readNotes(of weights: TensorFile, _ assumptions: inout [String]) {
        maskRatio = maskRatio ?? weights.notes["args.mask_ratio"]?.double
        if maskRatio == nil { unstated.insert(MAEConfiguration.maskRatioName) }
        if let noted = weights.notes["args.norm_pix_loss"]?.bool, statedTarget == nil {
            statedTarget = noted ? .normalized : .pixels
        }
        if let statedTarget {
            target = statedTarget
            return
        }
        unstated.insert(MAEConfiguration.targetName)
        if Files.name(of: weights.path).contains("visualize") {
            target = .pixels
            assumptions.append("Pixels as the decoder's target, as in the authors' checkpoints for visualisation.")
        } else {
            assumptions.append("Normalised pixels as the decoder's target, MAE's default.")
        }
    }
}

extension TensorTable where Names == KeyMap {
    /// What the shapes of the decoder's tensors show.
    fileprivate func decoder() throws(CheckpointError) -> MAEDecoderConfiguration {
        var decoder = MAEDecoderConfiguration()
        decoder.width = try extent(0, of: "decoder_embed.weight")
        decoder.depth = decoderDepth
        decoder.hiddenWidth = try extent(0, of: "decoder_blocks.0.mlp.fc1.weight")
        decoder.qkvBias = contains("decoder_blocks.0.attn.qkv.bias")
        return decoder
    }
}

extension JSON {
    /// A configuration's `mask_ratio`; nil where it has none.
    fileprivate func maskRatio(path: String) throws(CheckpointError) -> Double? {
        guard let value = self["mask_ratio"] else { return nil }
        guard let ratio = value.double, ratio >= 0, ratio < 1 else {
            throw .malformed(
                path,
                "states a mask_ratio of \(value.text(compact: true)); a number from 0 up and below 1 was expected")
        }
        return ratio
    }
}
