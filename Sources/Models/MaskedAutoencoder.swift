import Compute
import Layers

/// A masked autoencoder, to be trained or to be used (He et al. 2022).
///
/// Embed the patches, keep a quarter of them, encode these, put mask tokens in the place of the others, decode all,
/// and compare the pixels of the removed patches. The backward pass is the forward pass read from its end.
package struct MaskedAutoencoder: Sendable {
    package let configuration: MAEConfiguration
    private let engine: any TrainingEngine
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
    private var room: MAERoom

    /// Builds the model on the parameters of `source`; `batchSize` images make a step. A model that is not trained
    /// keeps nothing for a backward pass.
    package init(
        _ configuration: MAEConfiguration, from source: some ParameterSource, positions: MAEPositions, batchSize: Int,
        isTrained: Bool = true, engine: any TrainingEngine
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
        room = MAERoom(configuration, imageCount: batchSize, isTrained: isTrained)
    }

    /// The same weights with room for another number of images, and with results of its own.
    package func sized(for batchSize: Int) -> MaskedAutoencoder {
        var copy = self
        copy.room = MAERoom(configuration, imageCount: batchSize, isTrained: isTrained)
        return copy
    }

    /// The prediction (B, L, target length) for images (B, C, height, width) under `mask`; of a model that is trained, for
    /// the removed patches alone, by their rank (B, L − K, target length).
    package func forward(_ images: Tensor, mask: PatchMask) -> Tensor {
        encodeVisible(images, mask)
        decodeAll(mask)
        return room.prediction
    }

    private func encodeVisible(_ images: Tensor, _ mask: PatchMask) {
        let patch = configuration.encoder.patchSize
        engine.patchRows(images, patchHeight: patch.height, patchWidth: patch.width, into: room.patchRows)
        engine.gatherRows(room.patchRows, index: mask.kept, into: room.visibleRows)
        engine.gatherRows(positions.patches, index: mask.kept, into: room.visiblePositions)
        room.classToken.assign(zip(classToken.value.values, positions.classToken).map { $0 + $1 })
        engine.setPrefix(room.classToken, of: room.tokens)
        engine.embedPatches(
            room.visibleRows, patchProjection.weights, bias: patchProjection.bias?.value,
            positions: room.visiblePositions, prefix: 1, into: room.tokens)
        let x = blocks.forward(room.tokens, into: room.encoder, engine: engine)
        norm.forward(x, statistics: room.encodedStatistics, engine: engine, into: room.encoded)
    }

    private func decodeAll(_ mask: PatchMask) {
        decoderEmbedding.forward(room.encoded, engine: engine, into: room.visible)
        // Attention does not mind the order of tokens: the removed patches come first, since the loss reads them alone.
        engine.completeTokens(
            room.visible, order: mask.order, maskToken: maskToken.value, positions: positions.decoder,
            into: room.allTokens)
        let x = decoderBlocks.forward(
            room.allTokens, into: room.decoder, leading: room.gradients?.leading, engine: engine)
        decoderNorm.forward(x, statistics: room.decodedStatistics, engine: engine, into: room.decoded)
        if let patches = room.decodedPatches {
            engine.gatherRows(room.decoded, index: mask.places(prefix: 1), into: patches)
        }
        decoderPrediction.forward(room.decodedPatches ?? room.decoded, engine: engine, into: room.prediction)
    }

    /// The mean loss over the removed patches of the last `forward`; while the model is trained, `scale` times its
    /// gradient takes the place of the prediction.
    package func loss(_ images: Tensor, mask: PatchMask, scale: Float = 1) -> Double {
        let weight = scale / Float(mask.removedCount)
        let removed = isTrained ? [Float](repeating: 1, count: mask.removedCount) : mask.removed
        room.lossWeights.assign(removed.map { $0 * weight })
        engine.targets(images, configuration, into: room.targets)
        engine.patchLoss(
            room.prediction, target: room.targets, index: isTrained ? mask.removedPatches : nil,
            weights: room.lossWeights, losses: room.losses, dPrediction: isTrained ? room.prediction : nil)
        let sum = zip(room.losses.values, removed).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        return sum / Double(mask.removedCount)
    }

    /// The mean loss over the removed patches of each image of the last `loss`.
    package func imageLosses(mask: PatchMask) -> [Double] {
        let removedCount = mask.patchCount - mask.keptCount
        let losses = room.losses.values
        return (0..<mask.imageCount).map { image in
            let rows = image * room.losses.shape[1]..<(image + 1) * room.losses.shape[1]
            let removed = isTrained ? Array(rows) : rows.filter { Int(mask.restore[$0]) >= mask.keptCount }
            return removed.reduce(0) { $0 + Double(losses[$1]) } / Double(removedCount)
        }
    }

    /// Adds the gradient of the last `loss` to the store's gradients. The prediction is gone afterwards.
    package func backward() {
        guard let gradients = room.gradients else {
            preconditionFailure("MaskedAutoencoder.backward: the model was made for use, not for training")
        }
        decodeBackward(gradients)
        encodeBackward(gradients)
    }

    private func decodeBackward(_ gradients: MAEGradients) {
        let d = room.decoded
        decoderPrediction.backward(room.prediction, x: d, dx: d, engine: engine)
        decoderNorm.backward(
            d, x: gradients.leading.activations.output, statistics: room.decodedStatistics, dx: d, engine: engine)
        decoderBlocks.backward(
            gradients.decoded, x: room.allTokens, caches: room.decoder, leading: gradients.leading,
            gradients: gradients.decoderBlock, engine: engine)
        guard let dMaskToken = maskToken.gradient else { return }
        engine.completeTokensBackward(gradients.decoded, dVisible: room.visible, dMaskToken: dMaskToken)
        decoderEmbedding.backward(room.visible, x: room.encoded, dx: room.encoded, engine: engine)
    }

    private func encodeBackward(_ gradients: MAEGradients) {
        let d = room.encoded
        norm.backward(
            d, x: room.encoder.last?.output ?? room.tokens, statistics: room.encodedStatistics, dx: d, engine: engine)
        blocks.backward(d, x: room.tokens, caches: room.encoder, gradients: gradients.encoderBlock, engine: engine)
        guard let dClassToken = classToken.gradient else { return }
        engine.addPrefixGradient(d, dPrefix: dClassToken.reshaped([1, dClassToken.count]))
        // The positions of the visible patches are not read any more.
        engine.dropPrefix(1, of: d, into: room.visiblePositions)
        patchProjection.backward(room.visiblePositions, x: room.visibleRows, dx: nil, engine: engine)
    }
}
