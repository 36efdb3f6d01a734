import Compute
import Layers

/// The blocks of a model, and what their tokens attend to.
package final class AttentionExtractor: Sendable {
    package let configuration: any ModelConfiguration
    /// The number of blocks that are computed.
    package let layerCount: Int
    private let pass: BatchedPass

    /// Builds the model from the parameters of `source`.
    ///
    /// - Parameter layerCount: how many blocks are built and computed, from the first on; nil: all.
    package init(
        _ configuration: any ModelConfiguration, layerCount: Int? = nil, from source: some ParameterSource,
        engine: any Engine, batchSize: Int
    ) throws {
        self.configuration = configuration
        self.layerCount = layerCount ?? configuration.depth
        let model = try configuration.model(
            .features(layer: self.layerCount), LayerBuilder(source, engine: engine))
        pass = BatchedPass(model, .blocks, batchSize: batchSize, engine: engine)
    }

    /// The number of images that are computed at once.
    package var batchSize: Int { pass.batchSize }

    /// Hands over every block, from the first: its number, counted from 1, and its output (B, N, D). The weights (B, H, N, N)
    /// with which its tokens attend to each other are in `weights` then.
    ///
    /// - Parameter images: at most `batchSize` of them (B, C, height, width), normalized as the checkpoint asks.
    package func forEachBlock(_ images: Tensor, weights: Tensor, _ body: (_ block: Int, _ tokens: Tensor) -> Void) {
        pass.run(images.shape[0]) { pass in
            pass.forEachBlock(images, through: layerCount) { block, tokens, write in
                _ = write(weights)
                body(block, tokens)
            }
        }
    }
}
