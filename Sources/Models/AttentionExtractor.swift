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
    /// - Parameter layers: how many of the blocks are computed, from the first; later ones are not even read. nil: all.
    package init(
        _ configuration: any ModelConfiguration, layers: Int? = nil, from source: some ParameterSource,
        precision: Precision = .float32, engine: any Engine, batchSize: Int
    ) throws {
        self.configuration = configuration
        layerCount = layers ?? configuration.depth
        precondition(
            (0...configuration.depth).contains(layerCount),
            "AttentionExtractor: expected at most \(configuration.depth) layers, got \(layerCount)")
        let model = try configuration.model(
            .features(layer: layerCount), LayerBuilder(source, engine: engine, precision: precision))
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
