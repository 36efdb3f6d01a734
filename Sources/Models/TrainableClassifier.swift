import Compute
import Layers

/// A classifier being trained: the forward pass of `VisionTransformer` with all that the way back needs.
///
/// Positions are trained too, as in every fine-tuning recipe. With a mask, the encoder sees the patches that stay alone
/// (patch dropout: Liu et al. 2023), which shortens a step by as much.
package final class TrainableClassifier: Sendable {
    /// What the distillation head is to say (Touvron et al. 2021, section 4).
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

    package let configuration: ViTConfiguration
    package let store: ParameterStore
    /// Images of a step.
    package let batchSize: Int
    /// The first blocks, which stay as they are, and with them the patch embedding, its tokens and positions.
    package let frozenCount: Int
    private let engine: any Engine
    private let embedding: TokenEmbedding
    private let frozenBlocks: BlockStack
    private let blocks: BlockStack
    private let head: ClassifierHead
    private let workspace: TrainableClassifierWorkspace

    /// Builds the model on the parameters of `store`; `batchSize` images make a step and `keptCount` of their patches
    /// are seen (all, where it is left out). From `frozenCount` 1 on, the embedding and as many blocks are not trained.
    package init(
        _ configuration: ViTConfiguration, store: ParameterStore, batchSize: Int, keptCount: Int? = nil,
        frozenCount: Int = 0, engine: any Engine
    ) throws {
        precondition(
            configuration.classCount > 0 && configuration.positionGrid == configuration.grid
                && (0...configuration.depth).contains(frozenCount)
                && (configuration.hasClassToken || configuration.pooling == .meanPatches)
                && !(configuration.hasDistillationToken && configuration.pooling == .meanPatches),
            "TrainableClassifier: expected classes, positions for the grid, and the tokens that the heads read")
        self.configuration = configuration
        self.store = store
        self.batchSize = batchSize
        self.frozenCount = frozenCount
        self.engine = engine
        let frozen = FrozenParameters(store: store)
        let shape = configuration.blockShape
        embedding =
            frozenCount == 0
            ? try TokenEmbedding(configuration, from: store, engine: engine)
            : try TokenEmbedding(configuration, from: frozen, engine: engine)
        frozenBlocks = try BlockStack("blocks", 0..<frozenCount, shape, from: frozen, engine: engine)
        blocks = try BlockStack("blocks", frozenCount..<configuration.depth, shape, from: store, engine: engine)
        head = try ClassifierHead(configuration, from: store, engine: engine)
        workspace = TrainableClassifierWorkspace(
            configuration, imageCount: batchSize, keptCount: keptCount ?? configuration.patchCount,
            frozenCount: frozenCount)
    }

    /// Whether a parameter stays as it is where so many blocks are frozen.
    package static func isFrozen(_ name: String, frozenCount: Int) -> Bool {
        guard frozenCount > 0 else { return false }
        if let block = ParameterDepth.block(of: name) { return block < frozenCount }
        return ParameterDepth.isEmbedding(name)
    }

    /// The floats that an image's forward pass leaves for the way back.
    package static func activationCount(
        _ configuration: ViTConfiguration, keptCount: Int? = nil, frozenCount: Int = 0
    ) -> Int {
        let tokenCount = configuration.prefixCount + (keptCount ?? configuration.patchCount)
        return (configuration.depth - frozenCount)
            * BlockActivations.keptCount(configuration.blockShape, tokenCount: tokenCount)
    }

    /// The logits (B, classes) of images (B, C, height, width), of which the patches that `mask` keeps are seen, and all
    /// without one; `paths` drops residual branches. Of two heads, the logits are those of the class token.
    package func forward(_ images: Tensor, mask: PatchMask? = nil, paths: DropPath? = nil) -> Tensor {
        embedding.forward(images, mask: gathered(mask), workspace: workspace)
        let x = frozenBlocks.forward(workspace.tokens, into: workspace.frozenBlocks, engine: engine)
        let encoded = blocks.forward(
            x, into: workspace.blocks, leading: workspace.leading, paths: trained(paths), engine: engine)
        head.forward(encoded, workspace: workspace)
        return workspace.heads[0].logits
    }

    /// The logits of the distillation token's head after `forward`; nil without one.
    package var distillationLogits: Tensor? { workspace.heads.count > 1 ? workspace.heads[1].logits : nil }

    /// The mean cross-entropy of the last `forward` with `targets` (B, classes), and with the teacher's where there is
    /// `distillation`; `scale` times its gradient by the logits, which it takes the place of, is kept for `backward`.
    package func loss(_ targets: Tensor, distillation: Distillation? = nil, scale: Double = 1) -> Double {
        precondition(
            (distillation == nil) == (workspace.heads.count == 1),
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
        let workspace = workspace.heads[head]
        let imageCount = Double(workspace.losses.count)
        if temperature != 1 { engine.multiply(workspace.logits, by: Float(1 / temperature)) }
        engine.crossEntropy(
            workspace.logits, targets: targets, scale: Float(scale * weight * temperature / imageCount),
            losses: workspace.losses, dLogits: workspace.logits)
        let sum = workspace.losses.values.reduce(0) { $0 + Double($1) }
        return weight * temperature * temperature * sum / imageCount
    }

    /// Adds the gradient of the last `loss` to the store's gradients; `mask` and `paths` are those of `forward`.
    package func backward(mask: PatchMask? = nil, paths: DropPath? = nil) {
        head.backward(workspace.encoded, workspace: workspace)
        blocks.backward(
            workspace.dTokens, x: workspace.tokens, caches: workspace.blocks, leading: workspace.leading,
            paths: trained(paths),
            gradients: workspace.gradients, engine: engine)
        if frozenCount == 0 { embedding.backward(workspace.dTokens, mask: gathered(mask), workspace: workspace) }
    }

    /// A mask that keeps every patch in order needs no gathering, and has no place for it.
    private func gathered(_ mask: PatchMask?) -> PatchMask? {
        guard let mask, workspace.dVisible.shape[1] < configuration.patchCount else { return nil }
        return mask
    }

    private func trained(_ paths: DropPath?) -> [PathScales] { paths.map { Array($0.scales[frozenCount...]) } ?? [] }
}
