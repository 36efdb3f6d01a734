import Compute

/// Tokens through blocks: the trunk of every transformer, for inference and training alike.
package struct Trunk: Sendable {
    package let blocks: [Block]
    /// The length of a token.
    package let width: Int

    package init(_ blocks: [Block], width: Int) {
        self.blocks = blocks
        self.width = width
    }

    /// The numbers that the forward pass of an image with so many tokens keeps; the first `frozenCount` blocks keep none.
    package func activationCount(tokenCount: Int, frozenCount: Int = 0) -> Int {
        blocks.dropFirst(frozenCount).reduce(0) { $0 + tokenCount * $1.activationsPerToken(width: width) }
    }
}

/// A trunk with the memory that it works in.
package struct TrunkPass: Sendable {
    private let blocks: [BlockPass]
    private let frozenCount: Int
    /// The tokens (B, N, D) that go in.
    package let input: Tensor

    /// The tokens that come out: (B, N, D), or (B, queryCount, D).
    package var output: Tensor { blocks.last?.output ?? input }

    /// - Parameters:
    ///   - input: the tokens (B, N, D). Where nothing is kept, those that come out take their place.
    ///   - queryCount: how many of an image's first tokens are wanted of the last block, which then computes those alone;
    ///     nil: all.
    ///   - frozenCount: the first blocks, of which nothing is kept and through which no gradient goes.
    package init(
        _ trunk: Trunk, input: Tensor, queryCount: Int? = nil, frozenCount: Int = 0, in workspace: Workspace
    ) {
        self.input = input
        self.frozenCount = frozenCount
        var blocks: [BlockPass] = []
        var tokens = input
        for (index, block) in trunk.blocks.enumerated() {
            let isLast = index == trunk.blocks.count - 1
            let count = isLast ? queryCount ?? tokens.shape[1] : tokens.shape[1]
            func make() -> BlockPass { BlockPass(block, input: tokens, queryCount: count, in: workspace) }
            blocks.append(index < frozenCount ? workspace.withoutActivations(make) : make())
            tokens = blocks[index].output
        }
        self.blocks = blocks
    }

    /// `input` through all blocks, or the first `count` of them; `afterBlock` gets the number of each, counted from 0, and
    /// its tokens.
    package func forward(
        paths: [[Tensor]]? = nil, through count: Int? = nil, afterBlock: (Int, Tensor) -> Void = { _, _ in }
    ) {
        var x = input
        for (index, block) in blocks.prefix(count ?? blocks.count).enumerated() {
            block.forward(x, paths: paths?[index])
            x = block.output
            afterBlock(index, x)
        }
    }

    /// The gradient `dOutput` of `output` becomes dx (B, N, D), that of what the first trained block reads. Both are the
    /// same tensor where all tokens come out.
    package func backward(_ dOutput: Tensor, paths: [[Tensor]]? = nil, dx: Tensor) {
        for index in (frozenCount..<max(frozenCount, blocks.count)).reversed() {
            blocks[index].backward(
                index == blocks.count - 1 ? dOutput : dx, x: index == 0 ? input : blocks[index - 1].output,
                paths: paths?[index], dx: dx)
        }
    }

    /// `input` through the first `count` blocks; `body` gets each block's number, counted from 1, its tokens (B, N, D), and a
    /// function that writes the weights (B, H, N, N) with which its tokens attended to each other, if it has any.
    package func forEachBlock(
        through count: Int, _ body: (_ block: Int, _ tokens: Tensor, _ weights: (Tensor) -> Bool) -> Void
    ) {
        forward(through: count) { index, tokens in body(index + 1, tokens, blocks[index].attentionWeights) }
    }
}
