import Compute
import Layers

/// A classifier of any family while it is trained.
///
/// With a mask, the encoder gets the patches that stay alone (patch dropout: Liu et al. 2023), which shortens a step by as
/// much.
package final class TrainableClassifier: Sendable {
    /// What the distillation head learns from (Touvron et al. 2021, DeiT, section 4).
    package struct Distillation: Sendable {
        /// The teacher's distribution over the classes (B, classes); one class alone for hard distillation.
        package let targets: Tensor
        /// The share of the loss that is the teacher's (λ); the labels have the rest.
        package let weight: Double
        /// What the logits are divided by (τ); the loss is multiplied by its square.
        package let temperature: Double

        package init(targets: Tensor, weight: Double, temperature: Double = 1) {
            self.targets = targets
            self.weight = weight
            self.temperature = temperature
        }

        /// The part for some images of the batch.
        package func rows(_ range: Range<Int>) -> Distillation {
            Distillation(targets: targets.rows(range), weight: weight, temperature: temperature)
        }
    }

    package let configuration: any ModelConfiguration
    package let store: ParameterStore
    /// Images of a pass.
    package let batchSize: Int
    private let engine: any Engine
    private let pass: any VisionPass
    /// The cross-entropy of each image (B), for each head.
    private let losses: [Tensor]
    /// Whether some patches are left out.
    private let isMasked: Bool

    /// Builds the model on the parameters of `store`.
    ///
    /// - Parameters:
    ///   - keptCount: the patches of an image that become tokens; nil: all.
    ///   - frozenCount: from 1 on, the embedding and as many blocks are not trained.
    ///   - precision: that of the products of matrices in the blocks; not int8.
    ///   - batchSize: the images of a pass, for the numbers that an image's forward pass keeps.
    package init(
        _ configuration: any ModelConfiguration, store: ParameterStore, keptCount: Int? = nil, frozenCount: Int = 0,
        precision: Precision = .float32, engine: any Engine, batchSize: (_ activationCount: Int) -> Int
    ) throws {
        precondition(
            configuration.classCount > 0 && (0...configuration.depth).contains(frozenCount),
            "TrainableClassifier: expected classes, and at most \(configuration.depth) frozen blocks, got \(frozenCount)"
        )
        self.configuration = configuration
        self.store = store
        self.engine = engine
        let frozen = LayerBuilder(FrozenParameters(store: store), engine: engine, precision: precision)
        let model = try configuration.model(
            .classifier(frozenCount: frozenCount, frozen: frozen),
            LayerBuilder(store, engine: engine, precision: precision))
        isMasked = keptCount ?? configuration.patchCount < configuration.patchCount
        let size = batchSize(model.activationCount(keptCount: keptCount))
        self.batchSize = size
        let plan = VisionPassPlan(imageCount: size, reading: .logits, keptCount: isMasked ? keptCount : nil)
        pass = Workspace.plan(engine: engine, keepsActivations: true) { model.pass(plan, in: $0) }.pass
        losses = pass.logits.map { _ in Tensor(shape: [size]) }
    }

    /// Whether a parameter stays as it is where so many blocks are frozen.
    package static func isFrozen(
        _ name: String, of configuration: any ModelConfiguration, frozenCount: Int
    ) -> Bool {
        frozenCount > 0 && configuration.layer(ofParameter: name) <= frozenCount
    }

    /// The logits (B, classes) of images (B, C, height, width), of the patches that `mask` keeps, or of all; `paths` drops
    /// residual branches. With two heads, these are the logits of the class token.
    package func forward(_ images: Tensor, mask: PatchMask? = nil, paths: DropPath? = nil) -> Tensor {
        pass.forward(images, kept: isMasked ? mask?.kept : nil, paths: paths)
        return pass.logits[0]
    }

    /// The logits of the distillation token's head after `forward`; nil without one.
    package var distillationLogits: Tensor? { pass.logits.count > 1 ? pass.logits[1] : nil }

    /// The mean cross-entropy of the last `forward` with `targets` (B, classes), and with the teacher's where there is
    /// `distillation`. `scale` times its gradient with respect to the logits takes their place, for `backward`.
    package func loss(_ targets: Tensor, distillation: Distillation? = nil, scale: Double = 1) -> Double {
        precondition(
            (distillation == nil) == (pass.logits.count == 1),
            "TrainableClassifier.loss: a teacher's targets are for a model with a distillation token, and it needs them"
        )
        guard let distillation else { return loss(0, targets, weight: 1, temperature: 1, scale: scale) }
        return loss(0, targets, weight: 1 - distillation.weight, temperature: 1, scale: scale)
            + loss(
                1, distillation.targets, weight: distillation.weight, temperature: distillation.temperature,
                scale: scale)
    }

    /// weight · τ² times the mean cross-entropy of the logits divided by τ.
    private func loss(
        _ head: Int, _ targets: Tensor, weight: Double, temperature: Double, scale: Double
    ) -> Double {
        let (logits, losses) = (pass.logits[head], self.losses[head])
        let imageCount = Double(losses.count)
        if temperature != 1 { engine.scale(logits, by: Float(1 / temperature)) }
        engine.crossEntropy(
            logits, targets: targets, scale: Float(scale * weight * temperature / imageCount), losses: losses,
            dLogits: logits)
        let sum = losses.values.reduce(0) { $0 + Double($1) }
        return weight * temperature * temperature * sum / imageCount
    }

    /// Adds the gradient of the last `loss` to the store's gradients; `paths` are those of `forward`.
    package func backward(paths: DropPath? = nil) { pass.backward(paths: paths) }
}
