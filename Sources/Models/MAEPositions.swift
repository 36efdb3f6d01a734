import Compute
import Layers

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

    /// The tables of a checkpoint, fitted to the grid of the configuration where they were made for another.
    ///
    /// The encoder's is resampled as `configuration.encoder.positionInterpolation` says, and so is the decoder's.
    package init(_ configuration: MAEConfiguration, from source: some ParameterSource) throws {
        let encoder = configuration.encoder
        func table(_ name: String, width: Int) throws -> Tensor {
            let stored = try source.parameter(name).value.values
            let fitted = PositionResampling.resample(
                Array(stored.dropFirst(width)), width: width, from: encoder.positionGrid, to: encoder.grid,
                as: encoder.positionInterpolation)
            return Tensor(Array(stored.prefix(width)) + fitted, shape: [1, 1 + encoder.patchCount, width])
        }
        self.init(
            encoder: try table("pos_embed", width: encoder.width),
            decoder: try table("decoder_pos_embed", width: configuration.decoder.width), configuration: configuration)
    }
}
