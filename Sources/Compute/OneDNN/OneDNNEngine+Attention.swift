import CKernels
import COneDNN

extension OneDNNEngine {
    /// Queries that one task handles where a sequence is long: their scores then stay in the core's own cache.
    private static let queriesPerTask = 256

    package func attention(_ qkv: Tensor, heads: Int, into y: Tensor) {
        let (imageCount, tokenCount) = (qkv.shape[0], qkv.shape[1])
        let width = qkv.shape[2] / 3
        let queryCount = y.shape[1]
        precondition(
            qkv.shape.count == 3 && qkv.shape[2] == 3 * width && width % heads == 0 && queryCount <= tokenCount
                && y.shape == [imageCount, queryCount, width],
            "attention: \(heads) heads got qkv \(qkv.shape), y \(y.shape)")
        let shape = AttentionShape(tokenCount: tokenCount, width: width, heads: heads)
        let size = min(Self.queriesPerTask, queryCount)
        let whole = AttentionPrimitives(shape, queryCount: size, cache: cache)
        let restCount = queryCount % size
        let rest = restCount == 0 ? whole : AttentionPrimitives(shape, queryCount: restCount, cache: cache)
        let blockCount = (queryCount + size - 1) / size
        unsafe workers.run(imageCount * heads * blockCount) { task, context, worker in
            let block = task % blockCount
            let head = task / blockCount % heads
            let image = task / (blockCount * heads)
            let query = block * size
            let scratch = unsafe workers.scratch(of: worker, floatCount: whole.scratchCount)
            let base = unsafe qkv.pointer + 3 * image * tokenCount * width + head * shape.headWidth
            let output = unsafe y.pointer + (image * queryCount + query) * width + head * shape.headWidth
            let primitives = query + size > queryCount ? rest : whole
            unsafe primitives.run(
                context, q: base + query * 3 * width, k: base + width, v: base + 2 * width, scratch: scratch, y: output)
        }
    }
}

extension OneDNNEngine {
    package func attentionWeights(_ qkv: Tensor, heads: Int, into weights: Tensor) {
        let (imageCount, tokenCount) = (qkv.shape[0], qkv.shape[1])
        let width = qkv.shape[2] / 3
        precondition(
            weights.count == imageCount * heads * tokenCount * tokenCount,
            "attentionWeights: \(heads) heads got qkv \(qkv.shape), weights \(weights.shape)")
        let shape = AttentionShape(tokenCount: tokenCount, width: width, heads: heads)
        let primitives = AttentionPrimitives(shape, queryCount: tokenCount, cache: cache)
        unsafe workers.run(imageCount * heads) { task, context, worker in
            let (image, head) = (task / heads, task % heads)
            let base = unsafe qkv.pointer + 3 * image * tokenCount * width + head * shape.headWidth
            let target = unsafe weights.pointer + task * tokenCount * tokenCount
            let scratch = unsafe workers.scratch(of: worker, floatCount: primitives.scratchCount)
            unsafe primitives.weigh(context, q: base, k: base + width, turned: scratch, into: target)
        }
    }
}

/// What all primitives of an attention have in common.
struct AttentionShape {
    var tokenCount: Int
    var width: Int
    var heads: Int
    var headWidth: Int { width / heads }
    /// Floats from a row of keys or values turned into columns to the next.
    var turnedStride: Int { (tokenCount + 15) / 16 * 16 }
    /// Floats of such a matrix (head width, tokens).
    var turnedCount: Int { headWidth * turnedStride }

    /// Turns the keys or values of a head (tokens, head width), rows of 3·D apart, so that a product reads along them.
    func turn(_ x: UnsafeMutablePointer<Float>, into y: UnsafeMutablePointer<Float>) {
        unsafe vit_transpose(x, tokenCount, headWidth, 3 * width, y, turnedStride)
    }
}

/// The three steps of attention for a block of queries of one head; q, k and v lie side by side in rows of 3·D.
private struct AttentionPrimitives {
    let shape: AttentionShape
    let queryCount: Int
    let turnsKeys: Bool
    let scores: Primitive
    let softmax: Primitive
    let mix: Primitive

    /// Queries from which on turning the keys takes less time than it saves.
    private static let queriesWorthTurning = 16

    /// Floats that a task needs besides its operands.
    var scratchCount: Int { shape.turnedCount + queryCount * shape.tokenCount }

    init(_ shape: AttentionShape, queryCount: Int, cache: PrimitiveCache) {
        self.shape = shape
        self.queryCount = queryCount
        let row = 3 * shape.width
        turnsKeys = queryCount >= Self.queriesWorthTurning
        var product = MatmulShape(
            rows: queryCount, inner: shape.headWidth, columns: shape.tokenCount, aStrides: (row, 1),
            bStrides: turnsKeys ? (shape.turnedStride, 1) : (1, row), cStride: shape.tokenCount)
        product.scale = 1 / Float(shape.headWidth).squareRoot()
        scores = cache.matmul(product)
        softmax = cache.softmax(rows: queryCount, width: shape.tokenCount)
        mix = cache.matmul(
            MatmulShape(
                rows: queryCount, inner: shape.tokenCount, columns: shape.headWidth,
                aStrides: (shape.tokenCount, 1), bStrides: (row, 1), cStride: shape.width))
    }

    func run(
        _ context: OpaquePointer, q: UnsafeMutablePointer<Float>, k: UnsafeMutablePointer<Float>,
        v: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, y: UnsafeMutablePointer<Float>
    ) {
        let weights = unsafe scratch + shape.turnedCount
        unsafe weigh(context, q: q, k: k, turned: scratch, into: weights)
        var arguments = unsafe vit_matmul_arguments()
        unsafe arguments.a = UnsafePointer(weights)
        unsafe arguments.b = UnsafeRawPointer(v)
        unsafe arguments.c = y
        check(unsafe vit_matmul_run(mix.pointer, context, &arguments), "attention values")
    }

    /// The weights of the queries: softmax(q·kᵀ/√d).
    func weigh(
        _ context: OpaquePointer, q: UnsafeMutablePointer<Float>, k: UnsafeMutablePointer<Float>,
        turned: UnsafeMutablePointer<Float>, into weights: UnsafeMutablePointer<Float>
    ) {
        if turnsKeys { unsafe shape.turn(k, into: turned) }
        var arguments = unsafe vit_matmul_arguments()
        unsafe arguments.a = UnsafePointer(q)
        unsafe arguments.b = UnsafeRawPointer(turnsKeys ? turned : k)
        unsafe arguments.c = weights
        check(unsafe vit_matmul_run(scores.pointer, context, &arguments), "attention scores")
        check(unsafe vit_pointwise_run(softmax.pointer, context, weights, weights), "attention softmax")
    }
}
