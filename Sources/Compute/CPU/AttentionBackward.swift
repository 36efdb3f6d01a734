import CKernels

extension CPUEngine {
    package func attentionBackward(_ dy: Tensor, qkv: Tensor, heads: Int, dqkv: Tensor, y: Tensor) {
        let (imageCount, tokenCount) = (qkv.shape[0], qkv.shape[1])
        let width = qkv.shape[2] / 3
        precondition(
            qkv.shape[2] == 3 * width && width % heads == 0 && dqkv.count == qkv.count
                && dy.count == imageCount * tokenCount * width && y.count == dy.count,
            "attentionBackward: \(heads) heads got dy \(dy.shape), qkv \(qkv.shape), dqkv \(dqkv.shape), y \(y.shape)")
        let shape = AttentionShape(tokenCount: tokenCount, width: width, heads: heads)
        let steps = AttentionBackwardSteps(shape, engine: self)
        let matrixCount = tokenCount * shape.weightStride
        unsafe workers.run(imageCount * heads) { task, context, worker in
            let (image, head) = (task / heads, task % heads)
            let offset = image * tokenCount * width
            let workspace = unsafe workers.scratch(of: worker, floatCount: steps.workspaceCount + 2 * matrixCount)
            let probabilities = unsafe workspace + steps.workspaceCount
            unsafe steps.run(
                context, qkv: qkv.pointer + 3 * offset + head * shape.headWidth,
                dy: dy.pointer + offset + head * shape.headWidth,
                dqkv: dqkv.pointer + 3 * offset + head * shape.headWidth, workspace: workspace,
                probabilities: probabilities, gradient: probabilities + matrixCount,
                y: y.pointer + offset + head * shape.headWidth)
        }
    }
}

/// The steps back through the attention of one head:
/// P = softmax(QKᵀ/√d), Y = P·V, dV = Pᵀ·dY, dP = dY·Vᵀ, dS = softmax'(P, dP), dQ = dS·K/√d, dK = dSᵀ·Q/√d.
@safe
private struct AttentionBackwardSteps {
    private let tokenCount: Int
    private let weightStride: Int
    private let width: Int
    private let scores: SmallProduct
    private let mix: SmallProduct
    private let valueGradient: SmallProduct
    private let probabilityGradient: SmallProduct
    private let queryGradient: SmallProduct
    private let keyGradient: SmallProduct
    /// Floats that the products need besides their operands.
    let workspaceCount: Int

    init(_ shape: AttentionShape, engine: CPUEngine) {
        let (count, headWidth, width, row) = (shape.tokenCount, shape.headWidth, shape.width, 3 * shape.width)
        let scale = 1 / Float(headWidth).squareRoot()
        let stride = shape.weightStride
        func product(
            inner: Int, columns: Int, a: (Int, Int), b: (Int, Int), c: Int, scale: Float = 1, fillsRows: Bool = false
        ) -> SmallProduct {
            var shape = MatmulShape(
                rows: count, inner: inner, columns: columns, aStrides: a, bStrides: b, cStride: c)
            shape.scale = scale
            return SmallProduct(shape, fillsRows: fillsRows, engine: engine)
        }
        tokenCount = count
        weightStride = stride
        self.width = width
        scores = product(
            inner: headWidth, columns: count, a: (row, 1), b: (1, row), c: stride, scale: scale, fillsRows: true)
        mix = product(inner: count, columns: headWidth, a: (stride, 1), b: (row, 1), c: width)
        valueGradient = product(inner: count, columns: headWidth, a: (1, stride), b: (width, 1), c: row)
        probabilityGradient = product(
            inner: headWidth, columns: count, a: (width, 1), b: (1, row), c: stride, fillsRows: true)
        queryGradient = product(inner: count, columns: headWidth, a: (stride, 1), b: (row, 1), c: row, scale: scale)
        keyGradient = product(inner: count, columns: headWidth, a: (1, stride), b: (row, 1), c: row, scale: scale)
        let products = [scores, mix, valueGradient, probabilityGradient, queryGradient, keyGradient]
        workspaceCount = ((products.map(\.workspaceCount).max() ?? 0) + 15) / 16 * 16
    }

    func run(
        _ context: OpaquePointer, qkv: UnsafeMutablePointer<Float>, dy: UnsafeMutablePointer<Float>,
        dqkv: UnsafeMutablePointer<Float>, workspace: UnsafeMutablePointer<Float>,
        probabilities: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>,
        y: UnsafeMutablePointer<Float>
    ) {
        let (q, k, v) = unsafe (qkv, qkv + width, qkv + 2 * width)
        unsafe scores.run(context, q, k, into: probabilities, workspace: workspace)
        unsafe vit_softmax(probabilities, tokenCount, tokenCount, weightStride)
        unsafe mix.run(context, probabilities, v, into: y, workspace: workspace)
        unsafe valueGradient.run(context, probabilities, dy, into: dqkv + 2 * width, workspace: workspace)
        unsafe probabilityGradient.run(context, dy, v, into: gradient, workspace: workspace)
        unsafe vit_softmax_backward(probabilities, tokenCount, tokenCount, weightStride, gradient)
        unsafe queryGradient.run(context, gradient, k, into: dqkv, workspace: workspace)
        unsafe keyGradient.run(context, gradient, q, into: dqkv + width, workspace: workspace)
    }
}
