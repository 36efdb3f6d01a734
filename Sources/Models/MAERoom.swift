import Compute
import Layers

extension MAEConfiguration {
    /// What the blocks of the decoder have in common.
    package var decoderBlockShape: BlockShape {
        BlockShape(
            width: decoder.width, heads: decoder.heads, hiddenWidth: decoder.hiddenWidth, qkvBias: decoder.qkvBias,
            epsilon: encoder.layerNormEpsilon, activation: encoder.blockShape.activation, hasLayerScale: false)
    }

    /// The floats that an image's forward pass leaves for the way back.
    package var activationCount: Int {
        encoder.depth * BlockActivations.keptCount(encoder.blockShape, tokenCount: 1 + keptCount) + decoder.depth
            * BlockActivations.keptCount(decoderBlockShape, tokenCount: 1 + encoder.patchCount)
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

/// The memory that a masked autoencoder works in, planned before the first step.
///
/// On the way back `prediction`, `decodedPatches`, `decoded`, `visible` and `encoded` hold their own gradients.
package struct MAERoom: Sendable {
    // Encoder.
    let patchRows: Tensor
    let visibleRows: Tensor
    let visiblePositions: Tensor
    let classToken: Tensor
    let tokens: Tensor
    let encoder: [BlockActivations]
    let encoded: Tensor
    let encodedStatistics: NormStatistics
    // Decoder.
    let visible: Tensor
    let allTokens: Tensor
    let decoder: [BlockActivations]
    let decoded: Tensor
    let decodedStatistics: NormStatistics
    let decodedPatches: Tensor
    let prediction: Tensor
    // Loss.
    let targets: Tensor
    let lossWeights: Tensor
    let losses: Tensor
    /// What the way back needs; nil where there is none.
    let gradients: MAEGradients?

    init(_ configuration: MAEConfiguration, imageCount: Int, isTrained: Bool) {
        let (encoder, decoder) = (configuration.encoder, configuration.decoder)
        let (patchCount, keptCount) = (encoder.patchCount, configuration.keptCount)
        let patchLength = encoder.inputChannels * encoder.patchSize.height * encoder.patchSize.width
        func room(_ rows: Int, _ width: Int) -> Tensor { Tensor(shape: [imageCount, rows, width]) }
        patchRows = room(patchCount, patchLength)
        visibleRows = room(keptCount, patchLength)
        visiblePositions = room(keptCount, encoder.width)
        classToken = Tensor(shape: [1, encoder.width])
        tokens = room(1 + keptCount, encoder.width)
        self.encoder =
            isTrained
            ? BlockActivations.kept(encoder.blockShape, input: tokens, count: encoder.depth)
            : Array(repeating: .shared(encoder.blockShape, input: tokens), count: encoder.depth)
        encoded = room(1 + keptCount, encoder.width)
        encodedStatistics = NormStatistics(rowCount: imageCount * (1 + keptCount))
        visible = room(1 + keptCount, decoder.width)
        allTokens = room(1 + patchCount, decoder.width)
        let decoderShape = configuration.decoderBlockShape
        self.decoder =
            isTrained
            ? BlockActivations.kept(decoderShape, input: allTokens, count: decoder.depth)
            : Array(repeating: .shared(decoderShape, input: allTokens), count: decoder.depth)
        decoded = room(1 + patchCount, decoder.width)
        decodedStatistics = NormStatistics(rowCount: imageCount * (1 + patchCount))
        decodedPatches = room(patchCount, decoder.width)
        prediction = room(patchCount, configuration.targetLength)
        // The patches have been gathered when the targets are made of the images.
        targets =
            configuration.targetLength == patchLength ? patchRows : room(patchCount, configuration.targetLength)
        lossWeights = Tensor(shape: [imageCount, patchCount])
        losses = Tensor(shape: [imageCount, patchCount])
        gradients =
            isTrained
            ? MAEGradients(
                encoderBlock: BlockGradients(encoder.blockShape, input: tokens, activations: self.encoder),
                visiblePatches: room(keptCount, encoder.width),
                decoderBlock: BlockGradients(decoderShape, input: allTokens, activations: self.decoder))
            : nil
    }
}

/// What blocks need on the way back through a masked autoencoder, and the gradient of the embedded patches. The gradients
/// of tokens take the place of what they belong to.
struct MAEGradients: Sendable {
    let encoderBlock: BlockGradients
    let visiblePatches: Tensor
    let decoderBlock: BlockGradients
}
