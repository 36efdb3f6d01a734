import CKernels
import COneDNN

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
        guard let panels, qkv.isPacked, headWidth % panels.width == 0 else {
            linear(x, qkv, bias: bias, epilogue: LinearEpilogue(), into: workspace)
            return attention(workspace, heads: heads, into: y)
        }
        let head = LeadingHead(
            side: rightSide(qkv, rowCount: x.count / width), bias: bias, tokenCount: tokenCount,
            queryCount: queryCount, headWidth: headWidth, panelWidth: panels.width)
        unsafe workers.run(imageCount * heads) { task, context, worker in
            let (image, number) = (task / heads, task % heads)
            unsafe head.run(
                number, cache: cache, context, scratch: workers.scratch(of: worker, floatCount: head.scratchCount),
                x: x.pointer + image * tokenCount * width, y: y.pointer + image * queryCount * width)
        }
    }
}

/// Attention of one head for a few queries, without any token's key or value.
///
/// A score is q · (Wk x + bk) = (Wkᵀ q) · x + q · bk, of which the last part is the same for all tokens and left out by
/// softmax; and as weights add up to 1, the mixed values are Wv (Σ weight · x) + bv. All H heads of a query then take
/// 3D² + 2HND multiply-adds; keys and values alone would take 2ND².
@safe
private struct LeadingHead {
    let side: RightSide
    let bias: Tensor?
    let tokenCount: Int
    let queryCount: Int
    let headWidth: Int
    let panelWidth: Int

    private var width: Int { side.inner }
    private var layer: LayerProduct { LayerProduct(side: side, bias: bias) }
    private var queryWorkspace: Int { rounded(queryCount * headWidth) }
    private var widthWorkspace: Int { rounded(queryCount * width) }

    /// Floats of scratch memory that a run needs.
    var scratchCount: Int {
        queryWorkspace + 2 * widthWorkspace + rounded(queryCount * tokenCount)
            + layer.workspaceCount(rowCount: queryCount)
    }

    /// The head's columns of y (Q, D) from x (N, D).
    func run(
        _ head: Int, cache: PrimitiveCache, _ context: OpaquePointer, scratch: UnsafeMutablePointer<Float>,
        x: UnsafeMutablePointer<Float>, y: UnsafeMutablePointer<Float>
    ) {
        let queries = unsafe scratch
        let turned = unsafe queries + queryWorkspace
        let mixed = unsafe turned + widthWorkspace
        let weights = unsafe mixed + widthWorkspace
        let workspace = unsafe weights + rounded(queryCount * tokenCount)
        let column = head * headWidth
        var product = layer
        product.yStride = headWidth
        unsafe product.run(
            rowCount: queryCount, columns: column..<column + headWidth, cache: cache, context, workspace: workspace,
            x: x,
            y: queries)
        for query in 0..<queryCount {
            let scores = unsafe weights + query * tokenCount
            unsafe turn(queries + query * headWidth, column: width + column, into: turned + query * width)
            unsafe vit_dot_rows(
                x, width, tokenCount, width, turned + query * width, 1 / Float(headWidth).squareRoot(), 0, scores)
            unsafe vit_softmax(scores, 1, tokenCount, tokenCount)
            unsafe vit_mix_rows(x, width, tokenCount, width, scores, mixed + query * width)
        }
        product.yStride = width
        unsafe product.run(
            rowCount: queryCount, columns: 2 * width + column..<2 * width + column + headWidth, cache: cache, context,
            workspace: workspace, x: mixed, y: y + column)
    }

    /// The product of a query with the transposed weights of its head's keys, which begin at `column`.
    private func turn(
        _ query: UnsafeMutablePointer<Float>, column: Int, into turned: UnsafeMutablePointer<Float>
    ) {
        for first in stride(from: 0, to: headWidth, by: panelWidth) {
            let panel = unsafe side.column(column + first).assumingMemoryBound(to: Float.self)
            unsafe vit_dot_rows(panel, panelWidth, width, panelWidth, query + first, 1, first > 0 ? 1 : 0, turned)
        }
    }

    private func rounded(_ count: Int) -> Int { (count + 15) / 16 * 16 }
}
