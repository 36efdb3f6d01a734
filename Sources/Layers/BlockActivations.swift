import Compute

/// The intermediate results of a block, planned before it runs.
package struct BlockActivations: Sendable {
    package let statistics1: NormStatistics
    package let qkv: Tensor
    package let middle: Tensor
    package let statistics2: NormStatistics
    /// The MLP before its activation, where a backward pass follows.
    package let preActivation: Tensor?
    /// What attention and MLP add to the tokens, before any scale; kept one by one where the scale is trained, else one
    /// place for all.
    package let branch1: Tensor?
    package let branch2: Tensor?
    package let output: Tensor
    /// Overwritten by the next block: what attention gives, what a norm gives, and the MLP after its activation.
    package let mixed: Tensor
    package let normed: Tensor
    package let hidden: Tensor

    /// Room for one block at a time: nothing is kept for a backward pass, and the output takes the place of `input`.
    package static func shared(_ shape: BlockShape, input: Tensor) -> BlockActivations {
        let workspace = BlockWorkspace(shape, input: input)
        return BlockActivations(
            statistics1: workspace.statistics(), qkv: workspace.tokens(3 * shape.width),
            middle: workspace.tokens(shape.width),
            statistics2: workspace.statistics(), preActivation: nil, branch1: nil, branch2: nil, output: input,
            mixed: workspace.tokens(shape.width), normed: workspace.tokens(shape.width),
            hidden: workspace.tokens(shape.hiddenWidth))
    }

    /// Room for `count` blocks one after the other, each with what its backward pass reads. Norms, activations and what
    /// attention gives are cheap to compute again and have their places in `scratch`.
    package static func kept(
        _ shape: BlockShape, input: Tensor, count: Int, scratch: BlockScratch
    ) -> [BlockActivations] {
        let workspace = BlockWorkspace(shape, input: input)
        let branch = shape.hasLayerScale ? nil : workspace.tokens(shape.width, in: scratch.branch)
        return (0..<count).map { _ in
            BlockActivations(
                statistics1: workspace.statistics(), qkv: workspace.tokens(3 * shape.width),
                middle: workspace.tokens(shape.width),
                statistics2: workspace.statistics(), preActivation: workspace.tokens(shape.hiddenWidth),
                branch1: branch ?? workspace.tokens(shape.width), branch2: branch ?? workspace.tokens(shape.width),
                output: workspace.tokens(shape.width), mixed: workspace.tokens(shape.width, in: scratch.mixed),
                normed: workspace.tokens(shape.width, in: scratch.normed),
                hidden: workspace.tokens(shape.hiddenWidth, in: scratch.wide))
        }
    }

    /// The floats that a block keeps of an image with so many tokens.
    package static func keptCount(_ shape: BlockShape, tokenCount: Int) -> Int {
        tokenCount * ((shape.hasLayerScale ? 7 : 5) * shape.width + shape.hiddenWidth)
    }

    /// The part for the first `count` images.
    package func first(_ count: Int) -> BlockActivations {
        let rowCount = count * normed.shape[1]
        return BlockActivations(
            statistics1: statistics1.first(rowCount), qkv: qkv.rows(0..<count), middle: middle.rows(0..<count),
            statistics2: statistics2.first(rowCount), preActivation: preActivation?.rows(0..<count),
            branch1: branch1?.rows(0..<count), branch2: branch2?.rows(0..<count), output: output.rows(0..<count),
            mixed: mixed.rows(0..<count), normed: normed.rows(0..<count), hidden: hidden.rows(0..<count))
    }
}

/// What blocks overwrite one after the other, forth and back: places that all blocks of a model share.
package struct BlockScratch: Sendable {
    fileprivate let normed: Tensor
    fileprivate let mixed: Tensor
    fileprivate let branch: Tensor
    fileprivate let dBranch: Tensor
    /// What an MLP hides, its gradient, and after them the gradient of queries, keys and values.
    fileprivate let wide: Tensor

    /// Places for blocks of such shapes with such inputs.
    package init(_ blocks: [(shape: BlockShape, input: Tensor)]) {
        func place(_ width: (BlockShape) -> Int) -> Tensor {
            Tensor(shape: [blocks.map { $0.input.count / $0.shape.width * width($0.shape) }.max() ?? 0])
        }
        normed = place(\.width)
        mixed = place(\.width)
        branch = place(\.width)
        dBranch = place(\.width)
        wide = place { max(3 * $0.width, $0.hiddenWidth) }
    }
}

/// Gradients on their way through a block; every block of an encoder uses the same.
package struct BlockGradients: Sendable {
    package let branch: Tensor
    package let qkv: Tensor
    package let hidden: Tensor

    /// Room for the way back through blocks with such an input. What their MLPs hide is not read any more when its
    /// gradient is written, and lends it its place.
    package init(_ shape: BlockShape, input: Tensor, scratch: BlockScratch) {
        self.init(BlockWorkspace(shape, input: input), shape, branch: scratch.dBranch, scratch)
    }

    fileprivate init(_ workspace: BlockWorkspace, _ shape: BlockShape, branch: Tensor, _ scratch: BlockScratch) {
        self.branch = workspace.tokens(shape.width, in: branch)
        qkv = workspace.tokens(3 * shape.width, in: scratch.wide)
        hidden = workspace.tokens(shape.hiddenWidth, in: scratch.wide)
    }
}

/// What the last block works in where only the first tokens of each image are wanted of it, forth and back.
package struct LeadingWorkspace: Sendable {
    package let activations: BlockActivations
    package let gradients: BlockGradients
    /// The gradient of the output (B, P, D).
    package let d: Tensor

    /// Room for as many tokens as `d` (B, P, D) has.
    ///
    /// `Block.backwardLeading` copies the gradient of the branch to that of all tokens, and mixed tokens from those of all:
    /// here, each has the other's place.
    package init(_ shape: BlockShape, d: Tensor, scratch: BlockScratch) {
        let workspace = BlockWorkspace(shape, input: d)
        let branch = shape.hasLayerScale ? nil : workspace.tokens(shape.width, in: scratch.branch)
        self.d = d
        gradients = BlockGradients(workspace, shape, branch: scratch.mixed, scratch)
        activations = BlockActivations(
            statistics1: workspace.statistics(), qkv: gradients.qkv, middle: workspace.tokens(shape.width),
            statistics2: workspace.statistics(), preActivation: workspace.tokens(shape.hiddenWidth),
            branch1: branch ?? workspace.tokens(shape.width), branch2: branch ?? workspace.tokens(shape.width),
            output: workspace.tokens(shape.width), mixed: workspace.tokens(shape.width, in: scratch.dBranch),
            normed: workspace.tokens(shape.width, in: scratch.normed), hidden: gradients.hidden)
    }
}

/// Makes tensors for the tokens of a batch.
private struct BlockWorkspace {
    let imageCount: Int
    let tokenCount: Int

    init(_ shape: BlockShape, input: Tensor) {
        precondition(
            input.shape.count == 3 && input.shape[2] == shape.width,
            "Block: expected tokens (images, tokens, \(shape.width)), got \(input.shape)")
        imageCount = input.shape[0]
        tokenCount = input.shape[1]
    }

    /// Tokens in a place of their own, or at the beginning of `place`.
    func tokens(_ width: Int, in place: Tensor? = nil) -> Tensor {
        let shape = [imageCount, tokenCount, width]
        return place?.first(shape) ?? Tensor(shape: shape)
    }

    func statistics() -> NormStatistics { NormStatistics(rowCount: imageCount * tokenCount) }
}
