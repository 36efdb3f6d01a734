import COneDNN

extension OneDNNEngine {
    package func attentionBackward(_ dy: Tensor, qkv: Tensor, heads: Int, dqkv: Tensor, y: Tensor) {
        let (imageCount, tokenCount) = (qkv.shape[0], qkv.shape[1])
        let width = qkv.shape[2] / 3
        precondition(
            qkv.shape[2] == 3 * width && width % heads == 0 && dqkv.count == qkv.count
                && dy.count == imageCount * tokenCount * width && y.count == dy.count,
            "attentionBackward: \(heads) heads got dy \(dy.shape), qkv \(qkv.shape), dqkv \(dqkv.shape), y \(y.shape)")
        let shape = AttentionShape(tokenCount: tokenCount, width: width, heads: heads)
        let primitives = AttentionBackwardPrimitives(shape, cache: cache)
        let matrixCount = (tokenCount * tokenCount + 15) / 16 * 16
        unsafe workers.run(imageCount * heads) { task, context, worker in
            let (image, head) = (task / heads, task % heads)
            let offset = image * tokenCount * width
            let turned = unsafe workers.scratch(of: worker, floatCount: shape.turnedCount + 2 * matrixCount)
            let probabilities = unsafe turned + shape.turnedCount
            unsafe primitives.run(
                context, qkv: qkv.pointer + 3 * offset + head * shape.headWidth,
                dy: dy.pointer + offset + head * shape.headWidth,
                dqkv: dqkv.pointer + 3 * offset + head * shape.headWidth, turned: turned,
                probabilities: probabilities, gradient: probabilities + matrixCount,
                y: y.pointer + offset + head * shape.headWidth)
        }
    }
}

/// The steps back through the attention of one head:
/// P = softmax(QKᵀ/√d), Y = P·V, dV = Pᵀ·dY, dP = dY·Vᵀ, dS = softmax'(P, dP), dQ = dS·K/√d, dK = dSᵀ·Q/√d.
private struct AttentionBackwardPrimitives {
    let shape: AttentionShape
    let scores: Primitive
    let softmax: Primitive
    let mix: Primitive
    let valueGradient: Primitive
    let probabilityGradient: Primitive
    let softmaxBackward: Primitive
    let queryGradient: Primitive
    let keyGradient: Primitive

    init(_ shape: AttentionShape, cache: PrimitiveCache) {
        let (count, headWidth, row) = (shape.tokenCount, shape.headWidth, 3 * shape.width)
        let scale = 1 / Float(headWidth).squareRoot()
        func product(
            inner: Int, columns: Int, a: (Int, Int), b: (Int, Int), c: Int, scale: Float = 1
        ) -> Primitive {
            var shape = MatmulShape(
                rows: count, inner: inner, columns: columns, aStrides: a, bStrides: b, cStride: c)
            shape.scale = scale
            return cache.matmul(shape)
        }
        self.shape = shape
        let turned = (shape.turnedStride, 1)
        scores = product(inner: headWidth, columns: count, a: (row, 1), b: turned, c: count, scale: scale)
        softmax = cache.softmax(rows: count, width: count)
        mix = product(inner: count, columns: headWidth, a: (count, 1), b: (row, 1), c: shape.width)
        valueGradient = product(inner: count, columns: headWidth, a: (1, count), b: (shape.width, 1), c: row)
        probabilityGradient = product(
            inner: headWidth, columns: count, a: (shape.width, 1), b: turned, c: count)
        softmaxBackward = cache.softmaxBackward(rows: count, width: count)
        queryGradient = product(inner: count, columns: headWidth, a: (count, 1), b: (row, 1), c: row, scale: scale)
        keyGradient = product(inner: count, columns: headWidth, a: (1, count), b: (row, 1), c: row, scale: scale)
    }

    func run(
        _ context: OpaquePointer, qkv: UnsafeMutablePointer<Float>, dy: UnsafeMutablePointer<Float>,
        dqkv: UnsafeMutablePointer<Float>, turned: UnsafeMutablePointer<Float>,
        probabilities: UnsafeMutablePointer<Float>,
        gradient: UnsafeMutablePointer<Float>, y: UnsafeMutablePointer<Float>
    ) {
        func multiply(
            _ primitive: Primitive, _ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>,
            _ c: UnsafeMutablePointer<Float>
        ) {
            var arguments = unsafe vit_matmul_arguments()
            unsafe arguments.a = UnsafePointer(a)
            unsafe arguments.b = UnsafeRawPointer(b)
            unsafe arguments.c = c
            check(unsafe vit_matmul_run(primitive.pointer, context, &arguments), "attentionBackward")
        }
        let width = shape.width
        let (q, k, v) = unsafe (qkv, qkv + width, qkv + 2 * width)
        unsafe shape.turn(k, into: turned)
        unsafe multiply(scores, q, turned, probabilities)
        check(unsafe vit_pointwise_run(softmax.pointer, context, probabilities, probabilities), "attentionBackward")
        unsafe multiply(mix, probabilities, v, y)
        unsafe multiply(valueGradient, probabilities, dy, dqkv + 2 * width)
        unsafe shape.turn(v, into: turned)
        unsafe multiply(probabilityGradient, dy, turned, gradient)
        check(
            unsafe vit_pointwise_backward_run(softmaxBackward.pointer, context, probabilities, gradient, gradient),
            "attentionBackward")
        unsafe multiply(queryGradient, gradient, k, dqkv)
        unsafe multiply(keyGradient, gradient, q, dqkv + width)
    }
}
