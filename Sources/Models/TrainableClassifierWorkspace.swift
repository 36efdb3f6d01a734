import Compute
import Layers

/// The memory that a training step of a classifier works in.
struct TrainableClassifierWorkspace: Sendable {
    let patchRows: Tensor
    /// The patches that the encoder sees: all of them, where none is dropped.
    let visibleRows: Tensor
    /// Prefix tokens with their positions, and on the way back their gradients.
    let prefix: Tensor
    let tokens: Tensor
    /// Of blocks that are trained.
    let blocks: [BlockActivations]
    /// Of frozen blocks, which hand on one place.
    let frozenBlocks: [BlockActivations]
    let tokenStatistics: NormStatistics
    let heads: [HeadWorkspace]
    /// For the last trained block, where the heads read nothing but the first tokens.
    let leading: LeadingWorkspace?
    let dTokens: Tensor
    let dVisible: Tensor
    let gradients: BlockGradients

    /// What the heads read: the tokens that come out of the last block, or the first of them.
    var encoded: Tensor { leading?.activations.output ?? blocks.last?.output ?? tokens }
    /// Its gradient.
    var dEncoded: Tensor { leading?.d ?? dTokens }

    init(_ configuration: ViTConfiguration, imageCount: Int, keptCount: Int, frozenCount: Int) {
        let width = configuration.width
        let patchLength = configuration.inputChannels * configuration.patchSize.height * configuration.patchSize.width
        patchRows = Tensor(shape: [imageCount, configuration.patchCount, patchLength])
        let seesAll = keptCount == configuration.patchCount
        visibleRows = seesAll ? patchRows : Tensor(shape: [imageCount, keptCount, patchLength])
        prefix = Tensor(shape: [configuration.prefixCount, width])
        let tokenCount = configuration.prefixCount + keptCount
        tokens = Tensor(shape: [imageCount, tokenCount, width])
        let shape = configuration.blockShape
        let scratch = BlockScratch([(shape, tokens)])
        blocks = BlockActivations.kept(
            shape, input: tokens, count: configuration.depth - frozenCount, scratch: scratch)
        frozenBlocks =
            frozenCount == 0 ? [] : Array(repeating: .shared(shape, input: tokens), count: frozenCount)
        tokenStatistics = NormStatistics(rowCount: imageCount * tokenCount)
        heads = (0..<ClassifierHead.count(configuration)).map { _ in
            HeadWorkspace(imageCount: imageCount, width: width, classCount: configuration.classCount)
        }
        leading =
            configuration.pooling == .classToken && frozenCount < configuration.depth
            ? LeadingWorkspace(shape, d: Tensor(shape: [imageCount, heads.count, width]), scratch: scratch) : nil
        dTokens = Tensor(shape: tokens.shape)
        dVisible = Tensor(shape: [imageCount, keptCount, width])
        gradients = BlockGradients(shape, input: tokens, scratch: scratch)
    }
}
