/// The larger operations made of primitives: for engines without a faster way of their own.
extension Engine {
    /// y = x.
    package func copy(_ x: Tensor, into y: Tensor) {
        copyTokens(0..<1, of: x.reshaped([1, 1, x.count]), into: y)
    }

    package func mlp(
        _ x: Tensor, _ layers: MLPLayers, preActivation: Tensor?, hidden: Tensor, epilogue: LinearEpilogue,
        into y: Tensor
    ) {
        let before = preActivation ?? hidden
        linear(x, layers.first, bias: layers.firstBias, epilogue: LinearEpilogue(), into: before)
        activate(before, layers.activation, into: hidden)
        linear(hidden, layers.second, bias: layers.secondBias, epilogue: epilogue, into: y)
    }

    package func mlpInputGradient(
        _ dy: Tensor, _ layers: MLPLayers, preActivation: Tensor, dHidden: Tensor, dx: Tensor
    ) {
        linearInputGradient(dy, layers.second, dx: dHidden)
        activateBackward(dHidden, x: preActivation, layers.activation, dx: dHidden)
        linearInputGradient(dHidden, layers.first, dx: dx)
    }

    package func attention(_ qkv: Tensor, heads: Int, into y: Tensor) {
        let (imageCount, tokenCount, queryCount) = (qkv.shape[0], qkv.shape[1], y.shape[1])
        let weights = Tensor(shape: [imageCount, heads, queryCount, tokenCount])
        var q = MatrixBatch.heads(of: qkv, part: 0, parts: 3, heads: heads)
        q.rows.count = queryCount
        attentionWeights(q, qkv, heads: heads, into: weights)
        matmul(
            .maps(weights), .heads(of: qkv, part: 2, parts: 3, heads: heads), scale: 1, accumulates: false,
            into: .heads(of: y, heads: heads))
    }

    package func attentionWeights(_ qkv: Tensor, heads: Int, into weights: Tensor) {
        attentionWeights(
            MatrixBatch.heads(of: qkv, part: 0, parts: 3, heads: heads), qkv, heads: heads, into: weights)
    }

    private func attentionWeights(_ q: MatrixBatch, _ qkv: Tensor, heads: Int, into weights: Tensor) {
        attentionScores(q, qkv, heads: heads, into: weights)
        softmax(weights)
    }

    private func attentionScores(_ q: MatrixBatch, _ qkv: Tensor, heads: Int, into scores: Tensor) {
        let scale = 1 / Float(qkv.shape[2] / 3 / heads).squareRoot()
        matmul(
            q, MatrixBatch.heads(of: qkv, part: 1, parts: 3, heads: heads).transposed, scale: scale,
            accumulates: false, into: .maps(scores))
    }

    package func causalAttention(_ qkv: Tensor, heads: Int, into y: Tensor) {
        let weights = Tensor(shape: [qkv.shape[0], heads, qkv.shape[1], qkv.shape[1]])
        attentionScores(.heads(of: qkv, part: 0, parts: 3, heads: heads), qkv, heads: heads, into: weights)
        causalSoftmax(weights)
        matmul(
            .maps(weights), .heads(of: qkv, part: 2, parts: 3, heads: heads), scale: 1, accumulates: false,
            into: .heads(of: y, heads: heads))
    }

    package func attentionBackward(_ dy: Tensor, qkv: Tensor, heads: Int, dqkv: Tensor, y: Tensor) {
        let (imageCount, tokenCount) = (qkv.shape[0], qkv.shape[1])
        let scale = 1 / Float(qkv.shape[2] / 3 / heads).squareRoot()
        func part(_ number: Int, of x: Tensor) -> MatrixBatch { .heads(of: x, part: number, parts: 3, heads: heads) }
        func multiply(_ a: MatrixBatch, _ b: MatrixBatch, scale: Float = 1, into c: MatrixBatch) {
            matmul(a, b, scale: scale, accumulates: false, into: c)
        }
        let p = Tensor(shape: [imageCount, heads, tokenCount, tokenCount])
        let dp = Tensor(shape: p.shape)
        attentionWeights(part(0, of: qkv), qkv, heads: heads, into: p)
        multiply(.maps(p), part(2, of: qkv), into: .heads(of: y, heads: heads))
        multiply(MatrixBatch.maps(p).transposed, .heads(of: dy, heads: heads), into: part(2, of: dqkv))
        multiply(.heads(of: dy, heads: heads), part(2, of: qkv).transposed, into: .maps(dp))
        softmaxBackward(p, d: dp)
        multiply(.maps(dp), part(1, of: qkv), scale: scale, into: part(0, of: dqkv))
        multiply(MatrixBatch.maps(dp).transposed, part(0, of: qkv), scale: scale, into: part(1, of: dqkv))
    }

    package func queryAttention(
        _ x: Tensor, _ qkv: any LinearWeights, bias: Tensor?, heads: Int, workspace: Tensor, into y: Tensor
    ) {
        linear(x, qkv, bias: bias, epilogue: LinearEpilogue(), into: workspace)
        attention(workspace, heads: heads, into: y)
    }

    package func embedPatches(
        _ patches: Tensor, _ weights: any LinearWeights, bias: Tensor?, positions: Tensor, from first: Int,
        into tokens: Tensor
    ) {
        let (imageCount, patchCount) = (patches.shape[0], patches.shape[1])
        let embedded = Tensor(shape: [imageCount, patchCount, weights.outputs])
        if positions.count == embedded.count {
            add(positions, into: embedded)
        } else {
            repeatTokens(positions, into: embedded)
        }
        linear(patches, weights, bias: bias, epilogue: LinearEpilogue(residual: embedded), into: embedded)
        setTokens(first..<first + patchCount, of: tokens, to: embedded)
    }

    package func padTokens(_ y: Tensor, into x: Tensor) {
        zero(x)
        setTokens(0..<y.count / (x.shape[0] * x.shape[2]), of: x, to: y)
    }

    package func completeTokens(
        _ visible: Tensor, order: Tensor, maskToken: Tensor, positions: Tensor, into full: Tensor
    ) {
        let (imageCount, tokenCount, width) = (full.shape[0], full.shape[1], full.shape[2])
        let patchCount = order.count / imageCount
        let (removedCount, prefix) = (tokenCount - visible.shape[1], tokenCount - patchCount)
        let keptCount = patchCount - removedCount
        let ordered = Tensor(shape: [imageCount, patchCount, width])
        gather(order, of: positions.rows(prefix..<tokenCount).reshaped([1, patchCount, width]), into: ordered)
        let mask = Tensor(shape: [removedCount, width])
        repeatTokens(maskToken.reshaped([1, width]), into: mask.reshaped([removedCount, 1, width]))
        repeatTokens(mask, into: full)
        setTokens(removedCount..<tokenCount, of: full, to: visible)
        // The positions in the order of the tokens: those of the removed patches, of the prefix, and of the visible patches.
        let sorted = Tensor(shape: full.shape)
        let (removed, kept) = (
            Tensor(shape: [imageCount, removedCount, width]), Tensor(shape: [imageCount, keptCount, width])
        )
        let others = Tensor(shape: [imageCount, prefix, width])
        copyTokens(keptCount..<patchCount, of: ordered, into: removed)
        copyTokens(0..<keptCount, of: ordered, into: kept)
        repeatTokens(positions.rows(0..<prefix), into: others)
        setTokens(0..<removedCount, of: sorted, to: removed)
        setTokens(removedCount..<removedCount + prefix, of: sorted, to: others)
        setTokens(removedCount + prefix..<tokenCount, of: sorted, to: kept)
        add(sorted, into: full)
    }

    package func completeTokensBackward(_ dFull: Tensor, dVisible: Tensor, dMaskToken: Tensor) {
        let (imageCount, tokenCount, width) = (dFull.shape[0], dFull.shape[1], dFull.shape[2])
        let removedCount = tokenCount - dVisible.shape[1]
        copyTokens(removedCount..<tokenCount, of: dFull, into: dVisible)
        let removed = Tensor(shape: [imageCount, removedCount, width])
        copyTokens(0..<removedCount, of: dFull, into: removed)
        repeatTokensBackward(
            removed.reshaped([imageCount * removedCount, 1, width]), dTokens: dMaskToken.reshaped([1, width]))
    }
}
