import Compute

/// y = x + scale · layer(norm(x)), as every half of a pre-norm block has it (Dosovitskiy et al. 2021, equations 2 and 3).
package struct ResidualBranch: Sendable {
    package let norm: LayerNorm
    package let layer: any TokenLayer
    /// LayerScale: a factor for each number of a token (Touvron et al. 2021, "Going deeper with image transformers").
    package let scale: Parameter?

    package init(norm: LayerNorm, layer: any TokenLayer, scale: Parameter?) {
        self.norm = norm
        self.layer = layer
        self.scale = scale
    }

    /// The numbers that an image's forward pass keeps for each token of `width` numbers.
    func activationsPerToken(width: Int) -> Int { layer.activationsPerToken + (scale == nil ? 1 : 2) * width }
}

/// A residual branch with the memory that it works in.
struct ResidualBranchPass: Sendable {
    private let branch: ResidualBranch
    private let layer: any TokenLayerPass
    private let engine: any Engine
    private let statistics: LayerNorm.Statistics
    /// norm(x) (B, N, D); in the backward pass first the gradient of the layer's result.
    private let normed: Tensor
    /// The layer's result (B, queryCount, D) by itself, where a backward pass may need it.
    private let result: Tensor?
    private let dNormed: Tensor

    init(_ branch: ResidualBranch, over tokens: TokenShape, queryCount: Int, in workspace: Workspace) {
        self.branch = branch
        engine = workspace.engine
        statistics = LayerNorm.statistics(tokens.imageCount * tokens.tokenCount, isKept: true, in: workspace)
        normed = workspace.shared("normed", tokens.shape())
        layer = branch.layer.pass(over: tokens, queryCount: queryCount, in: workspace)
        let shape = tokens.shape(tokens: queryCount)
        if workspace.keepsActivations {
            result = branch.scale == nil ? workspace.shared("branch", shape) : workspace.tensor(shape)
            dNormed = workspace.shared("dBranch", tokens.shape())
        } else {
            result = nil
            dNormed = normed
        }
    }

    /// x (B, N, D) to y = residual + paths · scale · layer(norm(x)), both (B, queryCount, D).
    ///
    /// - Parameter paths: a factor for each image (B); 0 drops its branch.
    func forward(_ x: Tensor, residual: Tensor, paths: Tensor?, into y: Tensor) {
        branch.norm.forward(x, statistics: statistics, engine: engine, into: normed)
        if let result, branch.scale != nil || paths != nil {
            layer.forward(normed, epilogue: LinearEpilogue(), into: result)
            engine.addBranch(result, columnScale: branch.scale?.value, imageScale: paths, to: residual, into: y)
        } else {
            // In one pass where the backward pass does not need the branch by itself.
            layer.forward(
                normed, epilogue: LinearEpilogue(columnScale: branch.scale?.value, residual: residual), into: y)
        }
    }

    /// The gradient d (B, queryCount, D) of y becomes dx (B, N, D), which is d itself where all tokens are computed. The
    /// norm is computed again rather than kept.
    func backward(_ d: Tensor, x: Tensor, paths: Tensor?, dx: Tensor) {
        let dResult = resultGradient(d, paths: paths)
        layer.backward(
            dResult,
            input: {
                branch.norm.forward(x, statistics: statistics, engine: engine, into: normed)
                return normed
            }, dx: dNormed)
        if d.shape[1] < dx.shape[1] { engine.padTokens(d, into: dx) }
        branch.norm.backward(dNormed, x: x, statistics: statistics, residual: dx, dx: dx, engine: engine)
    }

    /// The gradient of the layer's result from that of the sum: the same where the branch was added as it is.
    private func resultGradient(_ d: Tensor, paths: Tensor?) -> Tensor {
        guard let result, branch.scale != nil || paths != nil else { return d }
        let dResult = normed.first(d.shape)
        engine.addBranchBackward(
            d, branch: result, columnScale: branch.scale?.value, imageScale: paths, dBranch: dResult,
            dColumnScale: branch.scale?.gradient)
        return dResult
    }

    /// See `TokenLayerPass`.
    func attentionWeights(into weights: Tensor) -> Bool { layer.attentionWeights(into: weights) }
}
