import Compute
import Layers

/// A classifier being trained: the forward pass of `VisionTransformer` with all that the way back needs.
///
/// Positions are trained too, as in every fine-tuning recipe. With a mask, the encoder sees the patches that stay alone
/// (patch dropout: Liu et al. 2023), which shortens a step by as much.
package final class TrainableClassifier: Sendable {
    package let configuration: ViTConfiguration
    package let store: ParameterStore
    private let engine: any TrainingEngine
    private let classToken: Parameter
    private let positions: Parameter
    private let patchProjection: Linear
    private let blocks: [Block]
    private let norm: LayerNorm
    private let head: Linear
    private let room: TrainableClassifierRoom

    /// Builds the model on the parameters of `store`; `batchSize` images make a step and `keptCount` of their patches
    /// are seen (all, where it is left out).
    ///
    /// Takes models with a class token that has a position; no registers, distillation or layer scale.
    package init(
        _ configuration: ViTConfiguration, store: ParameterStore, batchSize: Int, keptCount: Int? = nil,
        engine: any TrainingEngine
    ) throws {
        precondition(
            configuration.prefixCount == 1 && configuration.hasClassToken && configuration.prefixHasPosition
                && !configuration.hasLayerScale && configuration.classCount > 0,
            "TrainableClassifier: expected a class token with a position, and nothing beside it")
        self.configuration = configuration
        self.store = store
        self.engine = engine
        classToken = try store.parameter("cls_token")
        positions = try store.parameter("pos_embed")
        patchProjection = try Linear("patch_embed.proj", from: store, engine: engine)
        blocks = try (0..<configuration.depth).map {
            try Block("blocks.\($0)", configuration.blockShape, from: store, engine: engine)
        }
        let normName = configuration.finalNorm == .afterPooling ? "fc_norm" : "norm"
        norm = try LayerNorm(normName, epsilon: configuration.layerNormEpsilon, from: store)
        head = try Linear("head", from: store, engine: engine)
        room = TrainableClassifierRoom(
            configuration, imageCount: batchSize, keptCount: keptCount ?? configuration.patchCount)
    }

    /// The logits (B, classes) of images (B, C, height, width), of which the patches that `mask` keeps are seen.
    package func forward(_ images: Tensor, mask: PatchMask) -> Tensor {
        let (patch, width) = (configuration.patchSize, configuration.width)
        let table = positions.value.reshaped([1 + configuration.patchCount, width])
        engine.patchRows(images, patchHeight: patch.height, patchWidth: patch.width, into: room.patchRows)
        engine.gatherRows(room.patchRows, index: mask.kept, into: room.visibleRows)
        engine.gatherRows(table.rows(1..<table.shape[0]), index: mask.kept, into: room.visiblePositions)
        room.classToken.assign(zip(classToken.value.values, table.rows(0..<1).values).map { $0 + $1 })
        engine.setPrefix(room.classToken, of: room.tokens)
        engine.embedPatches(
            room.visibleRows, patchProjection.weights, bias: patchProjection.bias?.value,
            positions: room.visiblePositions, prefix: 1, into: room.tokens)
        var x = room.tokens
        for (block, cache) in zip(blocks, room.blocks) {
            block.forward(x, into: cache, engine: engine)
            x = cache.output
        }
        pool(x)
        head.forward(room.pooled, engine: engine, into: room.logits)
        return room.logits
    }

    /// The norm acts on each token by itself, so that the class token may be taken out before it.
    private func pool(_ x: Tensor) {
        switch (configuration.pooling, configuration.finalNorm) {
        case (.classToken, _):
            engine.selectToken(0, of: x, into: room.selected)
            norm.forward(room.selected, statistics: room.pooledStatistics, engine: engine, into: room.pooled)
        case (.meanPatches, .afterPooling):
            engine.meanTokens(from: 1, of: x, into: room.selected)
            norm.forward(room.selected, statistics: room.pooledStatistics, engine: engine, into: room.pooled)
        case (.meanPatches, .beforePooling):
            norm.forward(x, statistics: room.tokenStatistics, engine: engine, into: room.dTokens)
            engine.meanTokens(from: 1, of: room.dTokens, into: room.pooled)
        }
    }

    /// The mean cross-entropy of the last `forward` with `targets` (B, classes); `scale` times its gradient by the
    /// logits, which it takes the place of, is kept for `backward`.
    package func loss(_ targets: Tensor, scale: Float = 1) -> Double {
        let imageCount = room.losses.count
        engine.crossEntropy(
            room.logits, targets: targets, scale: scale / Float(imageCount), losses: room.losses,
            dLogits: room.logits)
        return room.losses.values.reduce(0) { $0 + Double($1) } / Double(imageCount)
    }

    /// Adds the gradient of the last `loss` to the store's gradients.
    package func backward(mask: PatchMask) {
        let d = room.dTokens
        head.backward(room.logits, x: room.pooled, dx: room.dPooled, engine: engine)
        poolBackward(d)
        for index in blocks.indices.reversed() {
            blocks[index].backward(
                d, x: index == 0 ? room.tokens : room.blocks[index - 1].output, cache: room.blocks[index],
                gradients: room.gradients, dx: d, engine: engine)
        }
        guard let dClassToken = classToken.gradient, let dPositions = positions.gradient else { return }
        engine.addPrefixGradient(d, dPrefix: dClassToken.reshaped([1, dClassToken.count]))
        let dTable = dPositions.reshaped([1 + configuration.patchCount, configuration.width])
        engine.addPrefixGradient(d, dPrefix: dTable.rows(0..<1))
        engine.dropPrefix(1, of: d, into: room.dVisible)
        engine.scatterRowSums(room.dVisible, index: mask.kept, into: dTable.rows(1..<dTable.shape[0]))
        patchProjection.backward(room.dVisible, x: room.visibleRows, dx: nil, engine: engine)
    }

    private func poolBackward(_ d: Tensor) {
        let x = room.blocks.last?.output ?? room.tokens
        switch (configuration.pooling, configuration.finalNorm) {
        case (.classToken, _):
            norm.backward(
                room.dPooled, x: room.selected, statistics: room.pooledStatistics, dx: room.selected, engine: engine)
            engine.selectTokenBackward(room.selected, index: 0, dx: d)
        case (.meanPatches, .afterPooling):
            norm.backward(
                room.dPooled, x: room.selected, statistics: room.pooledStatistics, dx: room.selected, engine: engine)
            engine.meanTokensBackward(room.selected, from: 1, dx: d)
        case (.meanPatches, .beforePooling):
            engine.meanTokensBackward(room.dPooled, from: 1, dx: d)
            norm.backward(d, x: x, statistics: room.tokenStatistics, dx: d, engine: engine)
        }
    }
}

/// The memory that a training step of a classifier works in.
package struct TrainableClassifierRoom: Sendable {
    let patchRows: Tensor
    let visibleRows: Tensor
    let visiblePositions: Tensor
    let classToken: Tensor
    let tokens: Tensor
    let blocks: [BlockActivations]
    let tokenStatistics: NormStatistics
    let selected: Tensor
    let pooledStatistics: NormStatistics
    let pooled: Tensor
    let logits: Tensor
    let losses: Tensor
    let dPooled: Tensor
    let dTokens: Tensor
    let dVisible: Tensor
    let gradients: BlockGradients

    init(_ configuration: ViTConfiguration, imageCount: Int, keptCount: Int) {
        let width = configuration.width
        let patchLength = configuration.inputChannels * configuration.patchSize.height * configuration.patchSize.width
        patchRows = Tensor(shape: [imageCount, configuration.patchCount, patchLength])
        visibleRows = Tensor(shape: [imageCount, keptCount, patchLength])
        visiblePositions = Tensor(shape: [imageCount, keptCount, width])
        classToken = Tensor(shape: [1, width])
        tokens = Tensor(shape: [imageCount, 1 + keptCount, width])
        blocks = BlockActivations.kept(configuration.blockShape, input: tokens, count: configuration.depth)
        tokenStatistics = NormStatistics(rowCount: imageCount * (1 + keptCount))
        selected = Tensor(shape: [imageCount, width])
        pooledStatistics = NormStatistics(rowCount: imageCount)
        pooled = Tensor(shape: [imageCount, width])
        logits = Tensor(shape: [imageCount, configuration.classCount])
        losses = Tensor(shape: [imageCount])
        dPooled = Tensor(shape: [imageCount, width])
        dTokens = Tensor(shape: [imageCount, 1 + keptCount, width])
        dVisible = Tensor(shape: [imageCount, keptCount, width])
        gradients = BlockGradients(configuration.blockShape, input: tokens)
    }
}
