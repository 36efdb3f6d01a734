import Compute
import Layers

/// A model without its head: images to the vectors that stand for them.
///
/// All patches are used, by the encoder of a masked autoencoder as well.
package final class FeatureExtractor: Sendable {
    /// The model's shape.
    package let configuration: any ModelConfiguration
    package let pooling: FeaturePooling
    private let engine: any Engine
    private let pass: BatchedPass

    /// Builds the model from the parameters of `source`.
    ///
    /// - Parameter layer: the blocks that the tokens go through, 0 to the model's depth, to be read as they are; nil: all
    ///   of them, and the final norm.
    package init(
        _ configuration: any ModelConfiguration, pooling: FeaturePooling, layer: Int? = nil,
        from source: some ParameterSource, precision: Precision = .float32, engine: any Engine, batchSize: Int
    ) throws {
        precondition(
            (0...configuration.depth).contains(layer ?? 0)
                && configuration.obstacle(to: pooling, afterBlocks: layer) == nil,
            "FeatureExtractor: \(pooling) of layer \(layer ?? 0) asked of a model of \(configuration.depth) blocks")
        self.configuration = configuration
        self.pooling = pooling
        self.engine = engine
        let model = try configuration.model(
            .features(layer: layer), LayerBuilder(source, engine: engine, precision: precision))
        pass = BatchedPass(model, .features(pooling), batchSize: batchSize, engine: engine)
    }

    /// The number of images that are computed at once.
    package var batchSize: Int { pass.batchSize }

    /// The vectors of at most `batchSize` images (B, C, height, width), normalized as the checkpoint asks, written into
    /// `result` (B, shape).
    package func features(_ images: Tensor, into result: Tensor) {
        precondition(
            result.shape[0] == images.shape[0], "FeatureExtractor: got images \(images.shape) for \(result.shape)")
        pass.run(images.shape[0]) { pass in
            pass.forward(images, kept: nil, paths: nil)
            engine.copy(pass.features, into: result)
        }
    }
}
