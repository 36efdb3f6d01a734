import Compute
import Layers

/// A masked autoencoder, to be trained or to be used (He et al. 2022).
///
/// Embed the patches, keep a quarter of them, encode these, put mask tokens in the place of the others, decode all,
/// and compare the pixels of the removed patches. The backward pass is the forward pass read from its end.
package struct MaskedAutoencoder: Sendable {
    package let configuration: MAEConfiguration
    private let engine: any Engine
    private let classToken: Parameter
    private let patchProjection: Linear
    private let blocks: BlockStack
    private let norm: LayerNorm
    private let decoderEmbedding: Linear
    private let maskToken: Parameter
    private let decoderBlocks: BlockStack
    private let decoderNorm: LayerNorm
    private let decoderPrediction: Linear
    private let positions: MAEPositions
    private let isTrained: Bool
    private var workspace: MAEWorkspace

    /// Builds the model on the parameters of `source`; `batchSize` images make a step. A model that is not trained
    /// keeps nothing for a backward pass.
    package init(
        _ configuration: MAEConfiguration, from source: some ParameterSource, positions: MAEPositions, batchSize: Int,
        isTrained: Bool = true, engine: any Engine
    ) throws {
        self.configuration = configuration
        self.isTrained = isTrained
        self.engine = engine
        self.positions = positions
        classToken = try source.parameter("cls_token")
        patchProjection = try Linear("patch_embed.proj", from: source, engine: engine)
        blocks = try BlockStack(
            "blocks", 0..<configuration.encoder.depth, configuration.encoder.blockShape, from: source, engine: engine)
        norm = try LayerNorm("norm", epsilon: configuration.encoder.layerNormEpsilon, from: source)
        decoderEmbedding = try Linear("decoder_embed", from: source, engine: engine)
        maskToken = try source.parameter("mask_token")
        decoderBlocks = try BlockStack(
            "decoder_blocks", 0..<configuration.decoder.depth, configuration.decoderBlockShape, from: source,
            engine: engine)
        decoderNorm = try LayerNorm("decoder_norm", epsilon: configuration.encoder.layerNormEpsilon, from: source)
        decoderPrediction = try Linear("decoder_pred", from: source, engine: engine)
        workspace = MAEWorkspace(configuration, imageCount: batchSize, isTrained: isTrained)
    }

    /// The same weights with room for another number of images, and with results of its own.
    package func sized(for batchSize: Int) -> MaskedAutoencoder {
        var copy = self
        copy.workspace = MAEWorkspace(configuration, imageCount: batchSize, isTrained: isTrained)
        return copy
    }

    /// The prediction (B, L, target length) for images (B, C, height, width) under `mask`; of a model that is trained, for
    /// the removed patches alone, by their rank (B, L − K, target length).
    package func forward(_ images: Tensor, mask: PatchMask) -> Tensor {
        encodeVisible(images, mask)
        decodeAll(mask)
        return workspace.prediction
    }

    private func encodeVisible(_ images: Tensor, _ mask: PatchMask) {
        let patch = configuration.encoder.patchSize
        engine.patchRows(images, patchHeight: patch.height, patchWidth: patch.width, into: workspace.patchRows)
        engine.gatherRows(workspace.patchRows, index: mask.kept, into: workspace.visibleRows)
        engine.gatherRows(positions.patches, index: mask.kept, into: workspace.visiblePositions)
        workspace.classToken.assign(zip(classToken.value.values, positions.classToken).map { $0 + $1 })
        engine.setPrefix(workspace.classToken, of: workspace.tokens)
        engine.embedPatches(
            workspace.visibleRows, patchProjection.weights, bias: patchProjection.bias?.value,
            positions: workspace.visiblePositions, prefix: 1, into: workspace.tokens)
        let x = blocks.forward(workspace.tokens, into: workspace.encoder, engine: engine)
        norm.forward(x, statistics: workspace.encodedStatistics, engine: engine, into: workspace.encoded)
    }

    private func decodeAll(_ mask: PatchMask) {
        decoderEmbedding.forward(workspace.encoded, engine: engine, into: workspace.visible)
        // Attention does not mind the order of tokens: the removed patches come first, since the loss reads them alone.
        engine.completeTokens(
            workspace.visible, order: mask.order, maskToken: maskToken.value, positions: positions.decoder,
            into: workspace.allTokens)
        let x = decoderBlocks.forward(
            workspace.allTokens, into: workspace.decoder, leading: workspace.gradients?.leading, engine: engine)
        decoderNorm.forward(x, statistics: workspace.decodedStatistics, engine: engine, into: workspace.decoded)
        if let patches = workspace.decodedPatches {
            engine.gatherRows(workspace.decoded, index: mask.places(prefix: 1), into: patches)
        }
        decoderPrediction.forward(
            workspace.decodedPatches ?? workspace.decoded, engine: engine, into: workspace.prediction)
    }

    /// The mean loss over the removed patches of the last `forward`; while the model is trained, `scale` times its
    /// gradient takes the place of the prediction.
    package func loss(_ images: Tensor, mask: PatchMask, scale: Float = 1) -> Double {
        let weight = scale / Float(mask.removedCount)
        let removed = isTrained ? [Float](repeating: 1, count: mask.removedCount) : mask.removed
        workspace.lossWeights.assign(removed.map { $0 * weight })
        engine.targets(images, configuration, into: workspace.targets)
        engine.patchLoss(
            workspace.prediction, target: workspace.targets, index: isTrained ? mask.removedPatches : nil,
            weights: workspace.lossWeights, losses: workspace.losses,
            dPrediction: isTrained ? workspace.prediction : nil)
        let sum = zip(workspace.losses.values, removed).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        return sum / Double(mask.removedCount)
    }

    /// The mean loss over the removed patches of each image of the last `loss`.
    package func imageLosses(mask: PatchMask) -> [Double] {
        let removedCount = mask.patchCount - mask.keptCount
        let losses = workspace.losses.values
        return (0..<mask.imageCount).map { image in
            let rows = image * workspace.losses.shape[1]..<(image + 1) * workspace.losses.shape[1]
            let removed = isTrained ? Array(rows) : rows.filter { Int(mask.restore[$0]) >= mask.keptCount }
            return removed.reduce(0) { $0 + Double(losses[$1]) } / Double(removedCount)
        }
    }

    /// Adds the gradient of the last `loss` to the store's gradients. The prediction is gone afterwards.
    package func backward() {
        guard let gradients = workspace.gradients else {
            preconditionFailure("MaskedAutoencoder.backward: the model was made for use, not for training")
        }
        decodeBackward(gradients)
        encodeBackward(gradients)
    }

    private func decodeBackward(_ gradients: MAEGradients) {
        let d = workspace.decoded
        decoderPrediction.backward(workspace.prediction, x: d, dx: d, engine: engine)
        decoderNorm.backward(
            d, x: gradients.leading.activations.output, statistics: workspace.decodedStatistics, dx: d, engine: engine)
        decoderBlocks.backward(
            gradients.decoded, x: workspace.allTokens, caches: workspace.decoder, leading: gradients.leading,
            gradients: gradients.decoderBlock, engine: engine)
        guard let dMaskToken = maskToken.gradient else { return }
        engine.completeTokensBackward(gradients.decoded, dVisible: workspace.visible, dMaskToken: dMaskToken)
        decoderEmbedding.backward(workspace.visible, x: workspace.encoded, dx: workspace.encoded, engine: engine)
    }

    private func encodeBackward(_ gradients: MAEGradients) {
        let d = workspace.encoded
        norm.backward(
            d, x: workspace.encoder.last?.output ?? workspace.tokens, statistics: workspace.encodedStatistics, dx: d,
            engine: engine)
        blocks.backward(
            d, x: workspace.tokens, caches: workspace.encoder, gradients: gradients.encoderBlock, engine: engine)
        guard let dClassToken = classToken.gradient else { return }
        engine.addPrefixGradient(d, dPrefix: dClassToken.reshaped([1, dClassToken.count]))
        // The positions of the visible patches are not read any more.
        engine.dropPrefix(1, of: d, into: workspace.visiblePositions)
        patchProjection.backward(workspace.visiblePositions, x: workspace.visibleRows, dx: nil, engine: engine)
    }
}
