import CKernels

extension CPUEngine {
    package func queryAttention(
        _ x: Tensor, _ qkv: any LinearWeights, bias: Tensor?, heads: Int, workspace: Tensor, into y: Tensor
    ) {
        let qkv = qkv.onCPU
        let (imageCount, tokenCount, width) = (x.shape[0], x.shape[1], x.shape[2])
        let queryCount = y.shape[1]
        let headWidth = width / heads
        precondition(
            qkv.inputs == width && qkv.outputs == 3 * width && width % heads == 0 && queryCount <= tokenCount
                && y.shape == [imageCount, queryCount, width] && workspace.count == 3 * x.count,
            "queryAttention: \(heads) heads got x \(x.shape), y \(y.shape), \(qkv.inputs) → \(qkv.outputs)")
        // Rows of rounded weights are not read one by one.
        guard qkv.isPacked, qkv.kernel.precision == .float32, headWidth % kernel.nr == 0 else {
            linear(x, qkv, bias: bias, epilogue: LinearEpilogue(), into: workspace)
            return attention(workspace, heads: heads, into: y)
        }
        let attention = HeadQueryAttention(
            layer: LayerGemm(b: rightOperand(qkv, rowCount: x.count / width), bias: bias), tokenCount: tokenCount,
            queryCount: queryCount, headWidth: headWidth)
        workers.run(imageCount * heads) { task, worker in
            let (image, head) = (task / heads, task % heads)
            unsafe attention.run(
                head, scratch: scratch(of: worker, floatCount: attention.scratchCount),
                x: x.pointer + image * tokenCount * width, y: y.pointer + image * queryCount * width)
        }
    }
}

/// Attention of one head for a few queries, which computes no token's key or value.
///
/// A score is q · (Wk x + bk) = (Wkᵀ q) · x + q · bk; the last term is the same for all tokens and cancels in softmax. And as
/// weights sum to 1, the output is Wv (Σ weight · x) + bv. All H heads of a query then take 3D² + 2HND multiply-adds;
/// keys and values alone would take 2ND².
private struct HeadQueryAttention {
    /// The projection to queries, keys and values.
    let layer: LayerGemm
    let tokenCount: Int
    let queryCount: Int
    let headWidth: Int

    private var width: Int { layer.b.k }
    private var headRowsCount: Int { rounded(queryCount * headWidth) }
    private var tokenRowsCount: Int { rounded(queryCount * width) }

    /// Floats of scratch memory that a run needs.
    var scratchCount: Int {
        headRowsCount + 2 * tokenRowsCount + rounded(queryCount * tokenCount)
            + layer.workspaceCount(rowCount: queryCount)
    }

    /// The head's columns of y (Q, D) from x (N, D).
    func run(
        _ head: Int, scratch: UnsafeMutablePointer<Float>, x: UnsafeMutablePointer<Float>,
        y: UnsafeMutablePointer<Float>
    ) {
        let queries = unsafe scratch
        let projected = unsafe queries + headRowsCount
        let means = unsafe projected + tokenRowsCount
        let weights = unsafe means + tokenRowsCount
        let workspace = unsafe weights + rounded(queryCount * tokenCount)
        let columns = head * headWidth..<(head + 1) * headWidth
        var product = layer
        product.yStride = headWidth
        unsafe product.run(rowCount: queryCount, columns: columns, x: x, y: queries, workspace: workspace)
        for query in 0..<queryCount {
            let scores = unsafe weights + query * tokenCount
            let vector = unsafe projected + query * width
            unsafe multiplyByKeyWeights(queries + query * headWidth, column: width + columns.lowerBound, into: vector)
            unsafe vit_gemv(x, width, tokenCount, width, vector, 1 / Float(headWidth).squareRoot(), 0, scores)
            unsafe vit_softmax(scores, 1, tokenCount, tokenCount)
            unsafe vit_gemv_transposed(x, width, tokenCount, width, scores, means + query * width)
        }
        product.yStride = width
        let valueColumns = 2 * width + columns.lowerBound..<2 * width + columns.upperBound
        unsafe product.run(
            rowCount: queryCount, columns: valueColumns, x: means, y: y + columns.lowerBound, workspace: workspace)
    }

    /// Wkᵀ q for the head whose key weights begin at `column`.
    private func multiplyByKeyWeights(
        _ query: UnsafeMutablePointer<Float>, column: Int, into product: UnsafeMutablePointer<Float>
    ) {
        let nr = layer.b.kernel.nr
        for first in stride(from: 0, to: headWidth, by: nr) {
            unsafe vit_gemv(
                layer.b.column(column + first), nr, width, nr, query + first, 1, first > 0 ? 1 : 0, product)
        }
    }

    private func rounded(_ count: Int) -> Int { (count + 15) / 16 * 16 }
}
