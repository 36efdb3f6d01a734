import Compute

/// Self-attention of texts, in which a token attends to itself and those before it (Radford et al. 2019). Used, not trained.
package struct CausalSelfAttention: TokenLayer {
    /// Queries, keys and values in one (3·D, D).
    private let qkv: Linear
    private let projection: Linear
    private let heads: Int

    /// Takes `name.qkv` and `name.proj`.
    package init(_ name: String, heads: Int, _ builder: LayerBuilder) throws {
        qkv = try builder.linear("\(name).qkv")
        projection = try builder.linear("\(name).proj")
        self.heads = heads
    }

    package var activationsPerToken: Int { qkv.outputs }

    package func pass(over tokens: TokenShape, queryCount: Int, in workspace: Workspace) -> any TokenLayerPass {
        precondition(
            queryCount == tokens.tokenCount && !workspace.keepsActivations,
            "CausalSelfAttention: expected results for all tokens, and no backward pass")
        return Pass(
            layer: self, engine: workspace.engine,
            qkv: workspace.shared("qkv", tokens.shape(width: qkv.outputs), type: qkv.weights.activationType),
            attended: workspace.shared("attended", tokens.shape()))
    }

    private struct Pass: TokenLayerPass {
        let layer: CausalSelfAttention
        let engine: any Engine
        let qkv: Tensor  // (B, N, 3·D)
        let attended: Tensor  // (B, N, D)

        func forward(_ x: Tensor, epilogue: LinearEpilogue, into y: Tensor) {
            layer.qkv.forward(x, engine: engine, into: qkv)
            engine.causalAttention(qkv, heads: layer.heads, into: attended)
            layer.projection.forward(attended, epilogue: epilogue, engine: engine, into: y)
        }

        func backward(_ dy: Tensor, input: () -> Tensor, dx: Tensor) {
            preconditionFailure("CausalSelfAttention.backward: the layer is not trained")
        }
    }
}
