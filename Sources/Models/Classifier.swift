import Compute
import Layers

/// A model that makes logits of images.
package protocol LogitsModel: Sendable {
    /// The logits of at most a batch of images (B, channels, height, width), normalized as the checkpoint asks, written into
    /// `result` (B, classes).
    func logits(_ images: Tensor, into result: Tensor)
}

/// A model of any family that classifies images.
public final class Classifier: LogitsModel {
    /// The shape of the model.
    package let configuration: any ModelConfiguration
    private let engine: any Engine
    private let pass: BatchedPass

    /// Builds the model from the parameters of `source`; images are computed `batchSize` at a time.
    package init(
        _ configuration: any ModelConfiguration, from source: some ParameterSource, precision: Precision = .float32,
        engine: any Engine, batchSize: Int
    ) throws {
        self.configuration = configuration
        self.engine = engine
        let model = try configuration.model(.classifier(), LayerBuilder(source, engine: engine, precision: precision))
        pass = BatchedPass(model, .logits, batchSize: batchSize, engine: engine)
    }

    /// The number of images that are computed at once; more are taken in turns.
    public var batchSize: Int { pass.batchSize }

    /// The logits (B, classes) of images (B, channels, height, width), normalized as the checkpoint asks.
    ///
    /// A model without a head has no logits: the result is then (B, 0).
    public func logits(_ images: Tensor) -> Tensor {
        let result = Tensor(shape: [images.shape[0], configuration.classCount])
        for first in stride(from: 0, to: images.shape[0], by: batchSize) {
            let range = first..<min(first + batchSize, images.shape[0])
            logits(images.rows(range), into: result.rows(range))
        }
        return result
    }

    /// The logits of at most `batchSize` images, written into `result` (B, classes). Those of two heads are averaged
    /// (Touvron et al. 2021, DeiT, section 4).
    package func logits(_ images: Tensor, into result: Tensor) {
        precondition(
            images.shape == configuration.imageShape(count: images.shape[0]),
            "Classifier: expected images \(configuration.imageShape(count: batchSize)), got \(images.shape)")
        guard configuration.classCount > 0 else { return }
        pass.run(images.shape[0]) { pass in
            pass.forward(images, kept: nil, paths: nil)
            guard let first = pass.logits.first else { return }
            engine.copy(first, into: result)
            for logits in pass.logits.dropFirst() { engine.add(logits, into: result) }
            if pass.logits.count > 1 { engine.scale(result, by: 1 / Float(pass.logits.count)) }
        }
    }
}
