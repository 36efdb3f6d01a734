import Compute
import Layers

extension MAEConfiguration {
    /// What the blocks of the decoder have in common.
    package var decoderBlockShape: BlockShape {
        BlockShape(
            width: decoder.width, heads: decoder.heads, hiddenWidth: decoder.hiddenWidth, qkvBias: decoder.qkvBias,
            epsilon: encoder.layerNormEpsilon, activation: encoder.blockShape.activation, hasLayerScale: false)
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

/// The position tables of a masked autoencoder, which are not trained.
package struct MAEPositions: Sendable {
    /// Of the encoder's patches (L, D).
    package let patches: Tensor
    /// Of the encoder's class token (D).
    package let classToken: [Float]
    /// Of the decoder's tokens, class token first (1 + L, decoder width).
    package let decoder: Tensor

    /// The sine-cosine tables; the class token's rows are zero.
    package init(_ configuration: MAEConfiguration) {
        let grid = configuration.encoder.grid
        let width = configuration.encoder.width
        patches = Tensor(
            SinCosPositions.table(grid: grid, width: width), shape: [configuration.encoder.patchCount, width])
        classToken = [Float](repeating: 0, count: width)
        let decoderWidth = configuration.decoder.width
        decoder = Tensor(
            [Float](repeating: 0, count: decoderWidth) + SinCosPositions.table(grid: grid, width: decoderWidth),
            shape: [1 + configuration.encoder.patchCount, decoderWidth])
    }

    /// Tables that a checkpoint holds, class token's row first.
    package init(encoder: Tensor, decoder: Tensor, configuration: MAEConfiguration) {
        let width = configuration.encoder.width
        let patchCount = configuration.encoder.patchCount
        classToken = Array(encoder.values.prefix(width))
        patches = encoder.reshaped([1 + patchCount, width]).rows(1..<1 + patchCount)
        self.decoder = decoder.reshaped([1 + patchCount, configuration.decoder.width])
    }

    /// The encoder's table as checkpoints hold it (1, 1 + L, D).
    package var encoderTable: Tensor {
        let width = classToken.count
        return Tensor(classToken + patches.values, shape: [1, 1 + patches.count / width, width])
    }
}

/// The memory that a training step of a masked autoencoder works in, planned before the first one.
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
    // Decoder. `visible` holds its own gradient on the way back, and so does `prediction`.
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
    // Gradients.
    let encoderGradient: Tensor
    let encoderGradients: BlockGradients
    let dVisiblePatches: Tensor
    let decoderGradient: Tensor
    let decoderGradients: BlockGradients
    let dDecodedPatches: Tensor

    init(_ configuration: MAEConfiguration, imageCount: Int) {
        let (encoder, decoder) = (configuration.encoder, configuration.decoder)
        let (patchCount, keptCount) = (encoder.patchCount, configuration.keptCount)
        let patchLength = encoder.inputChannels * encoder.patchSize.height * encoder.patchSize.width
        func room(_ rows: Int, _ width: Int) -> Tensor { Tensor(shape: [imageCount, rows, width]) }
        patchRows = room(patchCount, patchLength)
        visibleRows = room(keptCount, patchLength)
        visiblePositions = room(keptCount, encoder.width)
        classToken = Tensor(shape: [1, encoder.width])
        tokens = room(1 + keptCount, encoder.width)
        self.encoder = BlockActivations.kept(encoder.blockShape, input: tokens, count: encoder.depth)
        encoded = room(1 + keptCount, encoder.width)
        encodedStatistics = NormStatistics(rowCount: imageCount * (1 + keptCount))
        visible = room(1 + keptCount, decoder.width)
        allTokens = room(1 + patchCount, decoder.width)
        self.decoder = BlockActivations.kept(
            configuration.decoderBlockShape, input: allTokens, count: decoder.depth)
        decoded = room(1 + patchCount, decoder.width)
        decodedStatistics = NormStatistics(rowCount: imageCount * (1 + patchCount))
        decodedPatches = room(patchCount, decoder.width)
        prediction = room(patchCount, configuration.targetLength)
        targets = room(patchCount, configuration.targetLength)
        lossWeights = Tensor(shape: [imageCount, patchCount])
        losses = Tensor(shape: [imageCount, patchCount])
        encoderGradient = room(1 + keptCount, encoder.width)
        encoderGradients = BlockGradients(encoder.blockShape, input: tokens)
        dVisiblePatches = room(keptCount, encoder.width)
        decoderGradient = room(1 + patchCount, decoder.width)
        decoderGradients = BlockGradients(configuration.decoderBlockShape, input: allTokens)
        dDecodedPatches = room(patchCount, decoder.width)
    }
}
