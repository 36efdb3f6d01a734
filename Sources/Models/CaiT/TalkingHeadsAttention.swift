import Compute
import Layers

/// Self-attention whose heads talk: a linear map over the heads before the softmax, and another one after it.
///
/// Shazeer et al. 2020, "Talking-heads attention", as CaiT has it (Touvron et al. 2021, section 3).
struct TalkingHeadsAttention: TokenLayer {
    /// Queries, keys and values in one (3·D, D).
    let qkv: Linear
    let projection: Linear
    /// The maps over heads (H, H), with biases (H), of the scores and of the weights.
    let scores: HeadMap
    let weights: HeadMap

    var heads: Int { scores.weight.value.shape[0] }

    init(_ name: String, qkvBias: Bool, _ builder: LayerBuilder) throws {
        qkv = try builder.linear("\(name).qkv", bias: qkvBias)
        projection = try builder.linear("\(name).proj")
        scores = try HeadMap("\(name).proj_l", builder)
        weights = try HeadMap("\(name).proj_w", builder)
    }

    var activationsPerToken: Int { qkv.outputs }

    func pass(over tokens: TokenShape, queryCount: Int, in workspace: Workspace) -> any TokenLayerPass {
        precondition(queryCount == tokens.tokenCount, "TalkingHeadsAttention: all tokens are computed")
        return Pass(self, over: tokens, in: workspace)
    }

    private struct Pass: TokenLayerPass {
        let layer: TalkingHeadsAttention
        let engine: any Engine
        let qkv: Tensor  // (B, N, 3·D)
        let attended: Tensor  // (B, N, D)
        // (B, H, N, N): q·kᵀ, its map's softmax, and that one's map.
        let scores: Tensor
        let probabilities: Tensor
        let weights: Tensor
        /// A one for each pair of tokens (1, N·N).
        let ones: Tensor
        // For the backward pass.
        let dAttended: Tensor
        let dqkv: Tensor
        let dWeights: Tensor
        let dProbabilities: Tensor

        init(_ layer: TalkingHeadsAttention, over tokens: TokenShape, in workspace: Workspace) {
            self.layer = layer
            engine = workspace.engine
            let keeps = workspace.keepsActivations
            let maps = [tokens.imageCount, layer.heads, tokens.tokenCount, tokens.tokenCount]
            qkv = workspace.kept("qkv", tokens.shape(width: layer.qkv.outputs))
            attended = workspace.shared("attended", tokens.shape())
            scores = workspace.shared("scores", maps)
            probabilities = workspace.shared("probabilities", maps)
            weights = workspace.shared("weights", maps)
            ones = workspace.shared("ones", [1, tokens.tokenCount * tokens.tokenCount])
            ones.assign([Float](repeating: 1, count: ones.count))
            dAttended = keeps ? workspace.shared("dBranch", tokens.shape()) : attended
            dqkv = keeps ? workspace.shared("wide", qkv.shape) : qkv
            dWeights = keeps ? workspace.shared("dWeights", maps) : weights
            dProbabilities = keeps ? workspace.shared("dProbabilities", maps) : probabilities
        }

        private func part(_ number: Int, of x: Tensor) -> MatrixBatch {
            .heads(of: x, part: number, parts: 3, heads: layer.heads)
        }

        private var scale: Float { 1 / Float(layer.qkv.outputs / 3 / layer.heads).squareRoot() }

        private func multiply(_ a: MatrixBatch, _ b: MatrixBatch, scale: Float = 1, into c: MatrixBatch) {
            engine.matmul(a, b, scale: scale, accumulates: false, into: c)
        }

        func forward(_ x: Tensor, epilogue: LinearEpilogue, into y: Tensor) {
            layer.qkv.forward(x, engine: engine, into: qkv)
            attend()
            layer.projection.forward(attended, epilogue: epilogue, engine: engine, into: y)
        }

        /// From `qkv` to `attended`.
        private func attend() {
            multiply(part(0, of: qkv), part(1, of: qkv).transposed, scale: scale, into: .maps(scores))
            layer.scores.forward(scores, ones: ones, engine: engine, into: probabilities)
            engine.softmax(probabilities)
            layer.weights.forward(probabilities, ones: ones, engine: engine, into: weights)
            multiply(.maps(weights), part(2, of: qkv), into: .heads(of: attended, heads: layer.heads))
        }

        func backward(_ dy: Tensor, input: () -> Tensor, dx: Tensor) {
            layer.projection.inputGradient(dy, dx: dAttended, engine: engine)
            attend()
            layer.projection.addGradients(dy, x: attended, engine: engine)
            let d = MatrixBatch.heads(of: dAttended, heads: layer.heads)
            multiply(MatrixBatch.maps(weights).transposed, d, into: part(2, of: dqkv))
            multiply(d, part(2, of: qkv).transposed, into: .maps(dWeights))
            layer.weights.backward(dWeights, x: probabilities, ones: ones, dx: dProbabilities, engine: engine)
            engine.softmaxBackward(probabilities, d: dProbabilities)
            layer.scores.backward(dProbabilities, x: scores, ones: ones, dx: dWeights, engine: engine)
            multiply(.maps(dWeights), part(1, of: qkv), scale: scale, into: part(0, of: dqkv))
            multiply(MatrixBatch.maps(dWeights).transposed, part(0, of: qkv), scale: scale, into: part(1, of: dqkv))
            layer.qkv.backward(dqkv, x: input(), dx: dx, engine: engine)
        }

        /// The weights after the second map, with which values are averaged.
        func attentionWeights(into result: Tensor) -> Bool {
            engine.copy(weights, into: result)
            return true
        }
    }
}

/// A linear map over heads: y (B, H, N, N) = W (H, H) · x + b, for every pair of tokens.
struct HeadMap: Sendable {
    let weight: Parameter
    let bias: Parameter

    init(_ name: String, _ builder: LayerBuilder) throws {
        weight = try builder.parameter("\(name).weight")
        bias = try builder.parameter("\(name).bias")
    }

    func forward(_ x: Tensor, ones: Tensor, engine: any Engine, into y: Tensor) {
        let imageCount = x.shape[0]
        // The bias times a row of ones, and on top of it the map.
        engine.matmul(
            column(bias.value, imageCount), .matrices(ones, imageCount: imageCount), scale: 1, accumulates: false,
            into: rows(y))
        engine.matmul(
            .matrices(weight.value, imageCount: imageCount), rows(x), scale: 1, accumulates: true, into: rows(y))
    }

    /// dx from dy; the gradients of weight and bias are added to.
    func backward(_ dy: Tensor, x: Tensor, ones: Tensor, dx: Tensor, engine: any Engine) {
        guard let dWeight = weight.gradient, let dBias = bias.gradient else {
            preconditionFailure("HeadMap.backward: the layer is not trained")
        }
        let imageCount = x.shape[0]
        engine.matmul(
            rows(dy), rows(x).transposed, scale: 1, accumulates: true, into: .matrices(dWeight, imageCount: imageCount))
        engine.matmul(
            rows(dy), MatrixBatch.matrices(ones, imageCount: imageCount).transposed, scale: 1, accumulates: true,
            into: column(dBias, imageCount))
        engine.matmul(
            MatrixBatch.matrices(weight.value, imageCount: imageCount).transposed, rows(dy), scale: 1,
            accumulates: false, into: rows(dx))
    }

    /// For each image a row a head (H, N·N).
    private func rows(_ x: Tensor) -> MatrixBatch {
        .matrices(x.reshaped([x.shape[0], x.shape[1], x.shape[2] * x.shape[3]]))
    }

    private func column(_ x: Tensor, _ imageCount: Int) -> MatrixBatch {
        .matrices(x.reshaped([x.count, 1]), imageCount: imageCount)
    }
}
