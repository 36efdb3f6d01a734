import Compute
import Layers

/// Attention of the class token to itself and all patches (Touvron et al. 2021, "Going deeper with image transformers",
/// section 4).
struct ClassAttention: TokenLayer {
    let query: Linear
    let key: Linear
    let value: Linear
    let projection: Linear
    let heads: Int

    init(_ name: String, heads: Int, qkvBias: Bool, _ builder: LayerBuilder) throws {
        query = try builder.linear("\(name).q", bias: qkvBias)
        key = try builder.linear("\(name).k", bias: qkvBias)
        value = try builder.linear("\(name).v", bias: qkvBias)
        projection = try builder.linear("\(name).proj")
        self.heads = heads
    }

    var activationsPerToken: Int { 2 * key.outputs }

    func pass(over tokens: TokenShape, queryCount: Int, in workspace: Workspace) -> any TokenLayerPass {
        precondition(queryCount == 1, "ClassAttention: the class token alone has a result, got \(queryCount) queries")
        return Pass(self, over: tokens, in: workspace)
    }

    private struct Pass: TokenLayerPass {
        let layer: ClassAttention
        let engine: any Engine
        let classToken: Tensor  // (B, 1, D)
        let q: Tensor  // (B, 1, D)
        let k: Tensor  // (B, N, D)
        let v: Tensor  // (B, N, D)
        let weights: Tensor  // (B, H, 1, N)
        let attended: Tensor  // (B, 1, D)
        // For the backward pass.
        let dRow: Tensor  // (B, 1, D)
        let dWeights: Tensor  // (B, H, 1, N)
        let dTokens: Tensor  // (B, N, D)

        init(_ layer: ClassAttention, over tokens: TokenShape, in workspace: Workspace) {
            self.layer = layer
            engine = workspace.engine
            let row = tokens.shape(tokens: 1)
            let map = [tokens.imageCount, layer.heads, 1, tokens.tokenCount]
            classToken = workspace.tensor(row)
            q = workspace.tensor(row)
            k = workspace.kept("keys", tokens.shape())
            v = workspace.kept("values", tokens.shape())
            weights = workspace.tensor(map)
            attended = workspace.tensor(row)
            dRow = workspace.tensor(row)
            dWeights = workspace.tensor(map)
            dTokens = workspace.keepsActivations ? workspace.shared("wide", tokens.shape()) : v
        }

        private func heads(_ x: Tensor) -> MatrixBatch { .heads(of: x, heads: layer.heads) }

        private var scale: Float { 1 / Float(layer.query.outputs / layer.heads).squareRoot() }

        private func multiply(_ a: MatrixBatch, _ b: MatrixBatch, scale: Float = 1, into c: MatrixBatch) {
            engine.matmul(a, b, scale: scale, accumulates: false, into: c)
        }

        func forward(_ x: Tensor, epilogue: LinearEpilogue, into y: Tensor) {
            engine.copyTokens(0..<1, of: x, into: classToken)
            layer.query.forward(classToken, engine: engine, into: q)
            layer.key.forward(x, engine: engine, into: k)
            layer.value.forward(x, engine: engine, into: v)
            multiply(heads(q), heads(k).transposed, scale: scale, into: .maps(weights))
            engine.softmax(weights)
            multiply(.maps(weights), heads(v), into: heads(attended))
            layer.projection.forward(attended, epilogue: epilogue, engine: engine, into: y)
        }

        func backward(_ dy: Tensor, input: () -> Tensor, dx: Tensor) {
            layer.projection.backward(dy, x: attended, dx: dRow, engine: engine)
            let x = input()
            multiply(heads(dRow), heads(v).transposed, into: .maps(dWeights))
            multiply(MatrixBatch.maps(weights).transposed, heads(dRow), into: heads(dTokens))
            layer.value.backward(dTokens, x: x, dx: dx, engine: engine)
            engine.softmaxBackward(weights, d: dWeights)
            multiply(MatrixBatch.maps(dWeights).transposed, heads(q), scale: scale, into: heads(dTokens))
            layer.key.addGradients(dTokens, x: x, engine: engine)
            // What the queries and keys add to dx; the keys are not read any more.
            multiply(.maps(dWeights), heads(k), scale: scale, into: heads(dRow))
            layer.key.inputGradient(dTokens, dx: k, engine: engine)
            engine.add(k, into: dx)
            layer.query.backward(dRow, x: classToken, dx: attended, engine: engine)
            engine.copyTokens(0..<1, of: dx, into: dRow)
            engine.add(attended, into: dRow)
            engine.setTokens(0..<1, of: dx, to: dRow)
        }
    }
}
