import Compute
import Layers

/// The position tables of a masked autoencoder, which are not trained: 2-D sine-cosine, with zeros for the class token.
package struct MAEPositions: Sendable {
    /// Of the encoder's tokens, class token first (1 + L, D).
    package let encoder: Tensor
    /// Of the decoder's tokens, class token first (1 + L, decoder width).
    package let decoder: Tensor

    /// The sine-cosine tables (He et al. 2022, appendix A.1).
    package init(_ configuration: MAEConfiguration) {
        func table(width: Int) -> Tensor {
            let grid = configuration.encoder.grid
            return Tensor(
                [Float](repeating: 0, count: width) + SinCosPositions.table(grid: grid, width: width),
                shape: [1 + configuration.encoder.patchCount, width])
        }
        encoder = table(width: configuration.encoder.width)
        decoder = table(width: configuration.decoder.width)
    }

    /// Tables that a checkpoint holds, the class token's row first.
    package init(encoder: Tensor, decoder: Tensor, configuration: MAEConfiguration) {
        let rowCount = 1 + configuration.encoder.patchCount
        self.encoder = encoder.reshaped([rowCount, configuration.encoder.width])
        self.decoder = decoder.reshaped([rowCount, configuration.decoder.width])
    }

    /// The tables of a checkpoint, fitted to the grid of the configuration where they were made for another.
    ///
    /// Both are resampled as `configuration.encoder.positionInterpolation` says.
    package init(_ configuration: MAEConfiguration, from source: some ParameterSource) throws {
        let encoder = configuration.encoder
        func table(_ name: String, width: Int) throws -> Tensor {
            let stored = try source.parameter(name).value.values
            let fitted = PositionResampling.resample(
                Array(stored.dropFirst(width)), width: width, from: encoder.positionGrid, to: encoder.grid,
                as: encoder.positionInterpolation)
            return Tensor(Array(stored.prefix(width)) + fitted, shape: [1 + encoder.patchCount, width])
        }
        self.init(
            encoder: try table("pos_embed", width: encoder.width),
            decoder: try table("decoder_pos_embed", width: configuration.decoder.width), configuration: configuration)
    }

    /// The encoder's table as checkpoints hold it (1, 1 + L, D).
    package var encoderTable: Tensor { encoder.reshaped([1] + encoder.shape) }
}
