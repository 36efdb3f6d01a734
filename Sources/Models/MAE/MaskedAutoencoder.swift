import Compute
import Layers

/// A masked autoencoder, to be trained or to be used (He et al. 2022, section 3).
///
/// Embed the patches, keep a quarter of them, encode these, put mask tokens in the place of the others, decode all, and
/// compare the pixels of the removed patches. The backward pass is the forward pass read from its end.
package final class MaskedAutoencoder: Sendable {
    package let configuration: MAEConfiguration
    /// Images of a pass.
    package let batchSize: Int
    private let weights: MAEWeights
    private let engine: any Engine
    /// Whether a backward pass follows: the decoder's last block then computes the removed patches alone.
    private let isTrained: Bool
    private let memory: MAEMemory

    /// Builds the model on the parameters of `source`.
    ///
    /// - Parameters:
    ///   - isTrained: whether a backward pass follows.
    ///   - batchSize: the images of a pass, for the numbers that an image's forward pass keeps.
    package convenience init(
        _ configuration: MAEConfiguration, from source: some ParameterSource, positions: MAEPositions,
        isTrained: Bool = true, precision: Precision = .float32, engine: any Engine,
        batchSize: (_ activationCount: Int) -> Int
    ) throws {
        let weights = try MAEWeights(
            configuration, positions: positions, LayerBuilder(source, engine: engine, precision: precision))
        self.init(
            configuration, weights, isTrained: isTrained, engine: engine,
            batchSize: batchSize(weights.activationCount(configuration)))
    }

    private init(
        _ configuration: MAEConfiguration, _ weights: MAEWeights, isTrained: Bool, engine: any Engine, batchSize: Int
    ) {
        self.configuration = configuration
        self.weights = weights
        self.isTrained = isTrained
        self.engine = engine
        self.batchSize = batchSize
        memory =
            Workspace.plan(engine: engine, keepsActivations: isTrained) {
                MAEMemory(configuration, weights, imageCount: batchSize, isTrained: isTrained, in: $0)
            }.pass
    }

    /// The same weights with memory for another number of images, and with results of its own.
    package func sized(for batchSize: Int) -> MaskedAutoencoder {
        MaskedAutoencoder(configuration, weights, isTrained: isTrained, engine: engine, batchSize: batchSize)
    }

    // MARK: Forward

    /// The prediction (B, L, target length) for images (B, C, height, width) under `mask`; while the model is trained, for
    /// the removed patches alone, by their rank (B, L − K, target length).
    package func forward(_ images: Tensor, mask: PatchMask) -> Tensor {
        forwardEncoder(images, mask)
        forwardDecoder(mask)
        return memory.prediction
    }

    /// Class token and visible patches to `encoded` (B, 1 + K, D).
    private func forwardEncoder(_ images: Tensor, _ mask: PatchMask) {
        memory.embedding.forward(images, kept: mask.kept)
        memory.encoder.forward()
        weights.norm.forward(
            memory.encoder.output, statistics: memory.encodedStatistics, engine: engine, into: memory.encoded)
    }

    /// All tokens, mask tokens among them, to `prediction`.
    private func forwardDecoder(_ mask: PatchMask) {
        weights.decoderEmbedding.forward(memory.encoded, engine: engine, into: memory.visible)
        // Attention does not depend on the order of tokens: the removed patches come first, since the loss needs no others.
        memory.order.assign(indices: mask.order)
        engine.completeTokens(
            memory.visible, order: memory.order, maskToken: weights.maskToken.value,
            positions: weights.positions.decoder, into: memory.allTokens)
        memory.decoder.forward()
        weights.decoderNorm.forward(
            memory.decoder.output, statistics: memory.decodedStatistics, engine: engine, into: memory.decoded)
        if let patches = memory.decodedPatches {
            memory.places.assign(indices: mask.places(prefix: 1))
            engine.gather(memory.places, of: memory.decoded, into: patches)
        }
        weights.prediction.forward(
            memory.decodedPatches ?? memory.decoded, engine: engine, into: memory.prediction)
    }

    /// The mean loss over the removed patches of the last `forward`; while the model is trained, `scale` times its
    /// gradient takes the place of the prediction.
    package func loss(_ images: Tensor, mask: PatchMask, scale: Float = 1) -> Double {
        let weight = scale / Float(mask.removedCount)
        let removed = isTrained ? [Float](repeating: 1, count: mask.removedCount) : mask.removed
        memory.lossWeights.assign(removed.map { $0 * weight })
        engine.targets(images, configuration, into: memory.targets)
        if isTrained { memory.places.assign(indices: mask.removedPatches) }
        engine.patchLoss(
            memory.prediction, target: memory.targets, index: isTrained ? memory.places : nil,
            weights: memory.lossWeights, losses: memory.losses, dPrediction: isTrained ? memory.prediction : nil)
        let sum = zip(memory.losses.values, removed).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        return sum / Double(mask.removedCount)
    }

    /// The mean loss over the removed patches of each image of the last `loss`.
    package func imageLosses(mask: PatchMask) -> [Double] {
        let removedCount = mask.patchCount - mask.keptCount
        let losses = memory.losses.values
        return (0..<mask.imageCount).map { image in
            let rows = image * memory.losses.shape[1]..<(image + 1) * memory.losses.shape[1]
            let removed = isTrained ? Array(rows) : rows.filter { Int(mask.restore[$0]) >= mask.keptCount }
            return removed.reduce(0) { $0 + Double(losses[$1]) } / Double(removedCount)
        }
    }

    // MARK: Backward

    /// Adds the gradient of the last `loss` to the store's gradients. The prediction is gone afterwards.
    package func backward() {
        guard let dTokens = memory.dAllTokens, let dMaskToken = weights.maskToken.gradient else {
            preconditionFailure("MaskedAutoencoder.backward: the model is not trained")
        }
        backwardDecoder(dTokens, dMaskToken)
        backwardEncoder()
    }

    private func backwardDecoder(_ dTokens: Tensor, _ dMaskToken: Tensor) {
        let d = memory.decoded
        weights.prediction.backward(memory.prediction, x: d, dx: d, engine: engine)
        weights.decoderNorm.backward(
            d, x: memory.decoder.output, statistics: memory.decodedStatistics, dx: d, engine: engine)
        memory.decoder.backward(d, dx: dTokens)
        engine.completeTokensBackward(dTokens, dVisible: memory.visible, dMaskToken: dMaskToken)
        weights.decoderEmbedding.backward(memory.visible, x: memory.encoded, dx: memory.encoded, engine: engine)
    }

    private func backwardEncoder() {
        let d = memory.encoded
        weights.norm.backward(
            d, x: memory.encoder.output, statistics: memory.encodedStatistics, dx: d, engine: engine)
        memory.encoder.backward(d, dx: d)
        memory.embedding.backward(d)
    }
}
