import Compute

/// Multi-head self-attention: softmax(q·kᵀ/√d)·v for every head, and a projection (Vaswani et al. 2017, section 3.2).
package struct SelfAttention: TokenLayer {
    /// Queries, keys and values in one (3·D, D).
    package let qkv: Linear
    package let projection: Linear
    package let heads: Int

    /// Takes `name.qkv` and `name.proj`.
    package init(_ name: String, heads: Int, qkvBias: Bool, _ builder: LayerBuilder) throws {
        qkv = try builder.linear("\(name).qkv", bias: qkvBias)
        projection = try builder.linear("\(name).proj")
        self.heads = heads
    }

    package var activationsPerToken: Int { qkv.outputs }

    package func pass(over tokens: TokenShape, queryCount: Int, in workspace: Workspace) -> any TokenLayerPass {
        Pass(self, over: tokens, queryCount: queryCount, in: workspace)
    }

    private struct Pass: TokenLayerPass {
        let layer: SelfAttention
        let engine: any Engine
        /// Whether nothing but the results for the first tokens is wanted, and no backward pass follows.
        let skipsKeys: Bool
        let queryCount: Int
        let qkv: Tensor  // (B, N, 3·D)
        let attended: Tensor  // (B, queryCount, D)
        // For the backward pass; what it overwrites are pieces that nobody reads any more.
        let allAttended: Tensor  // (B, N, D)
        let dAttended: Tensor  // (B, queryCount, D)
        let dAllAttended: Tensor  // (B, N, D)
        let dqkv: Tensor  // (B, N, 3·D)

        init(_ layer: SelfAttention, over tokens: TokenShape, queryCount: Int, in workspace: Workspace) {
            let all = queryCount == tokens.tokenCount
            let keeps = workspace.keepsActivations
            self.layer = layer
            engine = workspace.engine
            self.queryCount = queryCount
            skipsKeys = !all && !keeps
            qkv = workspace.kept(
                "qkv", tokens.shape(width: layer.qkv.outputs), type: layer.qkv.weights.activationType)
            allAttended = workspace.shared("attended", tokens.shape())
            dAllAttended = keeps ? workspace.shared("dBranch", tokens.shape()) : allAttended
            attended =
                all
                ? allAttended
                : keeps
                    ? dAllAttended.first(tokens.shape(tokens: queryCount))
                    : workspace.tensor(tokens.shape(tokens: queryCount))
            dAttended = all ? dAllAttended : allAttended.first(tokens.shape(tokens: queryCount))
            dqkv = keeps ? workspace.shared("wide", qkv.shape) : qkv
        }

        func forward(_ x: Tensor, epilogue: LinearEpilogue, into y: Tensor) {
            if skipsKeys {
                engine.queryAttention(
                    x, layer.qkv.weights, bias: layer.qkv.bias?.value, heads: layer.heads, workspace: qkv,
                    into: attended)
            } else {
                layer.qkv.forward(x, engine: engine, into: qkv)
                engine.attention(qkv, heads: layer.heads, into: attended)
            }
            layer.projection.forward(attended, epilogue: epilogue, engine: engine, into: y)
        }

        func backward(_ dy: Tensor, input: () -> Tensor, dx: Tensor) {
            layer.projection.inputGradient(dy, dx: dAttended, engine: engine)
            let isPart = queryCount < qkv.shape[1]
            if isPart { engine.padTokens(dAttended, into: dAllAttended) }
            engine.attentionBackward(dAllAttended, qkv: qkv, heads: layer.heads, dqkv: dqkv, y: allAttended)
            if isPart { engine.copyTokens(0..<queryCount, of: allAttended, into: attended) }
            layer.projection.addGradients(dy, x: attended, engine: engine)
            layer.qkv.backward(dqkv, x: input(), dx: dx, engine: engine)
        }

        func attentionWeights(into weights: Tensor) -> Bool {
            engine.attentionWeights(qkv, heads: layer.heads, into: weights)
            return true
        }
    }
}
