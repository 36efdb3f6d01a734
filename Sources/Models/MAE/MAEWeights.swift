import Compute
import Layers

/// The layers of a masked autoencoder.
struct MAEWeights: Sendable {
    let embedding: TokenEmbedding
    let encoder: Trunk
    let norm: LayerNorm
    let decoderEmbedding: Linear
    let maskToken: Parameter
    let decoder: Trunk
    let decoderNorm: LayerNorm
    let prediction: Linear
    let positions: MAEPositions

    init(_ configuration: MAEConfiguration, positions: MAEPositions, _ builder: LayerBuilder) throws {
        let (encoder, decoder) = (configuration.encoder, configuration.decoderEncoder)
        self.positions = positions
        embedding = try TokenEmbedding(
            patch: encoder.patchSize, projection: builder.exact.linear("patch_embed.proj"),
            prefixes: [("cls_token", 1)],
            positions: Parameter(value: positions.encoder), patchCount: encoder.patchCount, builder)
        self.encoder = Trunk(
            try (0..<encoder.depth).map { try encoder.block("blocks.\($0)", builder) }, width: encoder.width)
        norm = try builder.layerNorm("norm", epsilon: encoder.layerNormEpsilon)
        decoderEmbedding = try builder.linear("decoder_embed")
        maskToken = try builder.parameter("mask_token")
        self.decoder = Trunk(
            try (0..<decoder.depth).map { try decoder.block("decoder_blocks.\($0)", builder) }, width: decoder.width)
        decoderNorm = try builder.layerNorm("decoder_norm", epsilon: encoder.layerNormEpsilon)
        prediction = try builder.exact.linear("decoder_pred")
    }

    /// The numbers that an image's forward pass keeps for the backward pass.
    func activationCount(_ configuration: MAEConfiguration) -> Int {
        encoder.activationCount(tokenCount: 1 + configuration.keptCount)
            + decoder.activationCount(tokenCount: 1 + configuration.encoder.patchCount)
    }
}

extension MAEConfiguration {
    /// The decoder's blocks as those of an encoder.
    var decoderEncoder: ViTConfiguration {
        var blocks = encoder
        blocks.width = decoder.width
        blocks.depth = decoder.depth
        blocks.heads = decoder.heads
        blocks.hiddenWidth = decoder.hiddenWidth
        blocks.qkvBias = decoder.qkvBias
        blocks.hasLayerScale = false
        return blocks
    }

    /// The numbers that the decoder gives for a patch.
    package var targetLength: Int {
        let (patch, channels) = (encoder.patchSize, encoder.inputChannels)
        return switch target {
        case .normalized, .pixels: patch.height * patch.width * channels
        case .mean: channels
        case .downsampled: max(1, patch.height / 4) * max(1, patch.width / 4) * channels
        }
    }
}

/// The memory that a masked autoencoder works in.
///
/// In the backward pass `prediction`, `decoded`, `visible` and `encoded` hold their own gradients.
struct MAEMemory: Sendable {
    let embedding: TokenEmbeddingPass
    let encoder: TrunkPass
    let encoded: Tensor  // (B, 1 + K, D)
    let encodedStatistics: LayerNorm.Statistics
    let visible: Tensor  // (B, 1 + K, W)
    let allTokens: Tensor  // (B, 1 + L, W)
    /// The patches by rank (B, L).
    let order: Tensor
    let decoder: TrunkPass
    /// The tokens that the prediction is made of: in training those of removed patches (B, L − K, W), else all.
    let decoded: Tensor
    let decodedStatistics: LayerNorm.Statistics
    /// The patches in order (B, L, W), where all are decoded.
    let decodedPatches: Tensor?
    /// Where each patch is among the decoded tokens (B, L); in training the removed patches (B, L − K).
    let places: Tensor
    let prediction: Tensor
    let targets: Tensor
    let lossWeights: Tensor
    let losses: Tensor
    /// The gradient of `allTokens`; nil where there is no backward pass.
    let dAllTokens: Tensor?

    init(
        _ configuration: MAEConfiguration, _ weights: MAEWeights, imageCount: Int, isTrained: Bool,
        in workspace: Workspace
    ) {
        let (encoderConfiguration, width) = (configuration.encoder, configuration.decoder.width)
        let (patchCount, keptCount) = (encoderConfiguration.patchCount, configuration.keptCount)
        let predictedCount = isTrained ? patchCount - keptCount : patchCount
        func tokens(_ count: Int, _ width: Int) -> Tensor { workspace.tensor([imageCount, count, width]) }
        embedding = TokenEmbeddingPass(
            weights.embedding, imageCount: imageCount, keptCount: keptCount, in: workspace)
        encoder = TrunkPass(weights.encoder, input: embedding.tokens, in: workspace)
        encoded = tokens(1 + keptCount, encoderConfiguration.width)
        encodedStatistics = LayerNorm.statistics(imageCount * (1 + keptCount), isKept: false, in: workspace)
        visible = tokens(1 + keptCount, width)
        allTokens = tokens(1 + patchCount, width)
        order = workspace.tensor([imageCount, patchCount], type: .int32)
        decoder = TrunkPass(
            weights.decoder, input: allTokens, queryCount: isTrained ? predictedCount : nil, in: workspace)
        decoded = tokens(isTrained ? predictedCount : 1 + patchCount, width)
        decodedStatistics = LayerNorm.statistics(imageCount * decoded.shape[1], isKept: false, in: workspace)
        decodedPatches = isTrained ? nil : tokens(patchCount, width)
        places = workspace.tensor([imageCount, predictedCount], type: .int32)
        prediction = tokens(predictedCount, configuration.targetLength)
        // The patches have been embedded when the targets are made of the images.
        targets =
            configuration.targetLength == embedding.patches.shape[2]
            ? embedding.patches : tokens(patchCount, configuration.targetLength)
        lossWeights = workspace.tensor([imageCount, predictedCount])
        losses = workspace.tensor([imageCount, predictedCount])
        dAllTokens = isTrained ? tokens(1 + patchCount, width) : nil
    }
}
