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
/// On the way back `prediction`, `decoded`, `visible` and `encoded` hold their own gradients.
package struct MAEWorkspace: Sendable {
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
    /// The tokens that the prediction is made of: in training, those of removed patches.
    let decoded: Tensor
    let decodedStatistics: NormStatistics
    /// Where all patches are decoded, they are put in order here.
    let decodedPatches: Tensor?
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
        let predictedCount = isTrained ? patchCount - keptCount : patchCount
        func workspace(_ rows: Int, _ width: Int) -> Tensor { Tensor(shape: [imageCount, rows, width]) }
        patchRows = workspace(patchCount, patchLength)
        visibleRows = workspace(keptCount, patchLength)
        visiblePositions = workspace(keptCount, encoder.width)
        classToken = Tensor(shape: [1, encoder.width])
        tokens = workspace(1 + keptCount, encoder.width)
        allTokens = workspace(1 + patchCount, decoder.width)
        let (encoderShape, decoderShape) = (encoder.blockShape, configuration.decoderBlockShape)
        let scratch = BlockScratch(isTrained ? [(encoderShape, tokens), (decoderShape, allTokens)] : [])
        self.encoder =
            isTrained
            ? BlockActivations.kept(encoderShape, input: tokens, count: encoder.depth, scratch: scratch)
            : Array(repeating: .shared(encoderShape, input: tokens), count: encoder.depth)
        encoded = workspace(1 + keptCount, encoder.width)
        encodedStatistics = NormStatistics(rowCount: imageCount * (1 + keptCount))
        visible = workspace(1 + keptCount, decoder.width)
        self.decoder =
            isTrained
            ? BlockActivations.kept(decoderShape, input: allTokens, count: decoder.depth, scratch: scratch)
            : Array(repeating: .shared(decoderShape, input: allTokens), count: decoder.depth)
        decoded = workspace(isTrained ? predictedCount : 1 + patchCount, decoder.width)
        decodedStatistics = NormStatistics(rowCount: imageCount * decoded.shape[1])
        decodedPatches = isTrained ? nil : workspace(patchCount, decoder.width)
        prediction = workspace(predictedCount, configuration.targetLength)
        // The patches have been gathered when the targets are made of the images.
        targets =
            configuration.targetLength == patchLength ? patchRows : workspace(patchCount, configuration.targetLength)
        lossWeights = Tensor(shape: [imageCount, predictedCount])
        losses = Tensor(shape: [imageCount, predictedCount])
        gradients =
            isTrained
            ? MAEGradients(
                encoderBlock: BlockGradients(encoderShape, input: tokens, scratch: scratch),
                decoderBlock: BlockGradients(decoderShape, input: allTokens, scratch: scratch),
                decoded: workspace(1 + patchCount, decoder.width),
                leading: LeadingWorkspace(decoderShape, d: decoded, scratch: scratch))
            : nil
    }
}

/// What blocks need on the way back through a masked autoencoder.
struct MAEGradients: Sendable {
    let encoderBlock: BlockGradients
    let decoderBlock: BlockGradients
    /// The gradient of all of the decoder's tokens.
    let decoded: Tensor
    /// For the decoder's last block, of which the loss reads the removed patches alone.
    let leading: LeadingWorkspace
}
