import Compute

/// A block of a transformer: residual branches one after the other, usually attention and an MLP.
package struct Block: Sendable {
    package let branches: [ResidualBranch]

    package init(_ branches: [ResidualBranch]) { self.branches = branches }

    /// The numbers that an image's forward pass keeps for each token of `width` numbers.
    func activationsPerToken(width: Int) -> Int { branches.reduce(0) { $0 + $1.activationsPerToken(width: width) } }
}

/// A block with the memory that it works in.
package struct BlockPass: Sendable {
    private let engine: any Engine
    private let branches: [ResidualBranchPass]
    /// What each branch writes (B, queryCount, D).
    private let outputs: [Tensor]
    private let queryCount: Int

    /// The block's result.
    package var output: Tensor { outputs[outputs.count - 1] }

    /// - Parameters:
    ///   - input: the tokens (B, N, D) that the block reads. Where nothing is kept, the result takes their place.
    ///   - queryCount: how many of an image's first tokens are wanted of the result. All are attended to.
    package init(_ block: Block, input: Tensor, queryCount: Int, in workspace: Workspace) {
        engine = workspace.engine
        self.queryCount = queryCount
        var tokens = TokenShape(of: input)
        let isPart = queryCount < tokens.tokenCount
        var branches: [ResidualBranchPass] = []
        var outputs: [Tensor] = []
        for (index, branch) in block.branches.enumerated() {
            branches.append(ResidualBranchPass(branch, over: tokens, queryCount: queryCount, in: workspace))
            tokens.tokenCount = queryCount
            let shape = tokens.shape()
            if workspace.keepsActivations {
                outputs.append(workspace.tensor(shape))
            } else if index < block.branches.count - 1 {
                outputs.append(workspace.shared(index % 2 == 0 ? "residual" : "otherResidual", shape))
            } else {
                outputs.append(isPart ? workspace.tensor(shape) : input)
            }
        }
        self.branches = branches
        self.outputs = outputs
    }

    /// x (B, N, D) to `output`.
    package func forward(_ x: Tensor, paths: [Tensor]?) {
        var x = x
        for (index, branch) in branches.enumerated() {
            var residual = x
            if queryCount < x.shape[1] {
                residual = output
                engine.copyTokens(0..<queryCount, of: x, into: residual)
            }
            branch.forward(x, residual: residual, paths: paths?[index], into: outputs[index])
            x = outputs[index]
        }
    }

    /// The gradient d (B, queryCount, D) of the output becomes, by way of itself, dx (B, N, D) of the x of `forward`.
    package func backward(_ d: Tensor, x: Tensor, paths: [Tensor]?, dx: Tensor) {
        for index in branches.indices.reversed() {
            branches[index].backward(
                d, x: index == 0 ? x : outputs[index - 1], paths: paths?[index], dx: index == 0 ? dx : d)
        }
    }

    /// See `TokenLayerPass`; of the first branch that has any.
    func attentionWeights(into weights: Tensor) -> Bool { branches.contains { $0.attentionWeights(into: weights) } }
}
