import Compute

/// Patches to one vector an image by attention: a trained query attends to all of them, and an MLP follows on a residual branch
/// (Zhai et al. 2022, "Scaling vision transformers", section 3.2; timm's `AttentionPoolLatent`).
package struct AttentionPooling: Sendable {
    /// What the query is made of (1, D).
    let latent: Parameter
    let query: Linear
    /// Keys and values in one (2·D, D).
    let keysAndValues: Linear
    let projection: Linear
    let branch: ResidualBranch
    let heads: Int

    /// Takes `name.latent`, `.q`, `.kv`, `.proj`, `.norm` and `.mlp`.
    package init(
        _ name: String, heads: Int, epsilon: Float, activation: Activation, _ builder: LayerBuilder
    ) throws {
        latent = try builder.parameter("\(name).latent").matrix(rows: 1)
        keysAndValues = try builder.linear("\(name).kv")
        // A row an image: rounding them saves nothing.
        query = try builder.exact.linear("\(name).q")
        projection = try builder.exact.linear("\(name).proj")
        branch = ResidualBranch(
            norm: try builder.layerNorm("\(name).norm", epsilon: epsilon),
            layer: try MLP("\(name).mlp", activation: activation, builder.exact), scale: nil)
        self.heads = heads
    }
}

/// An attention pooling with the memory that it works in.
struct AttentionPoolingPass: Sendable {
    private let layer: AttentionPooling
    private let engine: any Engine
    private let imageCount: Int
    private let query: Tensor  // (1, D)
    private let keysAndValues: Tensor  // (B, N, 2·D)
    private let weights: Tensor  // (B, H, 1, N)
    private let attended: Tensor  // (B, 1, D)
    private let projected: Tensor  // (B, 1, D)
    private let branch: ResidualBranchPass
    // For the backward pass.
    private let dVector: Tensor  // (B, 1, D)
    private let dAttended: Tensor  // (B, 1, D)
    private let dWeights: Tensor  // (B, H, 1, N)
    private let dQuery: Tensor  // (1, D)
    private let dLatent: Tensor  // (1, D)
    private let dKeysAndValues: Tensor  // (B, N, 2·D)

    init(_ layer: AttentionPooling, over tokens: TokenShape, in workspace: Workspace) {
        let keeps = workspace.keepsActivations
        func working(_ shape: [Int]) -> Tensor { workspace.tensor(keeps ? shape : [0]) }
        let row = tokens.shape(tokens: 1)
        let map = [tokens.imageCount, layer.heads, 1, tokens.tokenCount]
        let both = tokens.shape(width: 2 * tokens.width)
        self.layer = layer
        engine = workspace.engine
        imageCount = tokens.imageCount
        query = workspace.tensor([1, tokens.width])
        keysAndValues = workspace.kept("wide", both)
        weights = workspace.tensor(map)
        attended = workspace.tensor(row)
        projected = workspace.tensor(row)
        branch = ResidualBranchPass(
            layer.branch, over: TokenShape(imageCount: tokens.imageCount, tokenCount: 1, width: tokens.width),
            queryCount: 1, in: workspace)
        (dVector, dAttended, dWeights) = (working(row), working(row), working(map))
        (dQuery, dLatent) = (working([1, tokens.width]), working([1, tokens.width]))
        dKeysAndValues = keeps ? workspace.shared("wide", both) : keysAndValues
    }

    /// The query's heads, the same for every image.
    private func queries(_ x: Tensor) -> MatrixBatch {
        var heads = MatrixBatch.heads(of: x.reshaped([1, 1, x.count]), heads: layer.heads)
        heads.images = MatrixBatch.Axis(imageCount, step: 0)
        return heads
    }

    private func rows(_ x: Tensor) -> MatrixBatch { .heads(of: x, heads: layer.heads) }
    private func keys(_ x: Tensor) -> MatrixBatch { .heads(of: x, part: 0, parts: 2, heads: layer.heads) }
    private func values(_ x: Tensor) -> MatrixBatch { .heads(of: x, part: 1, parts: 2, heads: layer.heads) }
    private var scale: Float { 1 / Float(layer.query.outputs / layer.heads).squareRoot() }

    private func multiply(
        _ a: MatrixBatch, _ b: MatrixBatch, scale: Float = 1, accumulates: Bool = false, into c: MatrixBatch
    ) {
        engine.matmul(a, b, scale: scale, accumulates: accumulates, into: c)
    }

    /// x (B, N, D) to y (B, D).
    func forward(_ x: Tensor, into y: Tensor) {
        layer.query.forward(layer.latent.value, engine: engine, into: query)
        layer.keysAndValues.forward(x, engine: engine, into: keysAndValues)
        multiply(queries(query), keys(keysAndValues).transposed, scale: scale, into: .maps(weights))
        engine.softmax(weights)
        multiply(.maps(weights), values(keysAndValues), into: rows(attended))
        layer.projection.forward(attended, engine: engine, into: projected)
        branch.forward(projected, residual: projected, paths: nil, into: y.reshaped(projected.shape))
    }

    /// dx (B, N, D) of the x of `forward`, which `input` computes again, from dy (B, D).
    func backward(_ dy: Tensor, input: () -> Tensor, dx: Tensor) {
        engine.copy(dy, into: dVector)
        branch.backward(dVector, x: projected, paths: nil, dx: dVector)
        layer.projection.backward(dVector, x: attended, dx: dAttended, engine: engine)
        multiply(rows(dAttended), values(keysAndValues).transposed, into: .maps(dWeights))
        multiply(MatrixBatch.maps(weights).transposed, rows(dAttended), into: values(dKeysAndValues))
        engine.softmaxBackward(weights, d: dWeights)
        multiply(MatrixBatch.maps(dWeights).transposed, queries(query), scale: scale, into: keys(dKeysAndValues))
        engine.zero(dQuery)
        multiply(.maps(dWeights), keys(keysAndValues), scale: scale, accumulates: true, into: queries(dQuery))
        layer.query.backward(dQuery, x: layer.latent.value, dx: dLatent, engine: engine)
        if let gradient = layer.latent.gradient { engine.add(dLatent, into: gradient) }
        layer.keysAndValues.backward(dKeysAndValues, x: input(), dx: dx, engine: engine)
    }
}
