import CKernels

extension CPUEngine {
    package func attention(_ qkv: Tensor, heads: Int, into y: Tensor) {
        let (imageCount, tokenCount) = (qkv.shape[0], qkv.shape[1])
        let width = qkv.shape[2] / 3
        let queryCount = y.shape[1]
        precondition(
            qkv.shape.count == 3 && qkv.shape[2] == 3 * width && width % heads == 0 && queryCount <= tokenCount
                && y.shape == [imageCount, queryCount, width],
            "attention: \(heads) heads got qkv \(qkv.shape), y \(y.shape)")
        let shape = AttentionShape(tokenCount: tokenCount, width: width, heads: heads)
        let size = Self.queriesPerTask(queryCount: queryCount, tokenCount: tokenCount, heads: imageCount * heads)
        let whole = AttentionSteps(shape, queryCount: size, engine: self)
        let restCount = queryCount % size
        let rest = restCount == 0 ? whole : AttentionSteps(shape, queryCount: restCount, engine: self)
        let blockCount = (queryCount + size - 1) / size
        unsafe workers.run(imageCount * heads * blockCount) { task, context, worker in
            let block = task % blockCount
            let head = task / blockCount % heads
            let image = task / (blockCount * heads)
            let query = block * size
            let scratch = unsafe workers.scratch(of: worker, floatCount: whole.scratchCount)
            let base = unsafe qkv.pointer + 3 * image * tokenCount * width + head * shape.headWidth
            let output = unsafe y.pointer + (image * queryCount + query) * width + head * shape.headWidth
            let steps = query + size > queryCount ? rest : whole
            unsafe steps.run(
                context, q: base + query * 3 * width, k: base + width, v: base + 2 * width, scratch: scratch, y: output)
        }
    }
}

extension CPUEngine {
    package func attentionWeights(_ qkv: Tensor, heads: Int, into weights: Tensor) {
        let (imageCount, tokenCount) = (qkv.shape[0], qkv.shape[1])
        let width = qkv.shape[2] / 3
        precondition(
            weights.count == imageCount * heads * tokenCount * tokenCount,
            "attentionWeights: \(heads) heads got qkv \(qkv.shape), weights \(weights.shape)")
        let shape = AttentionShape(tokenCount: tokenCount, width: width, heads: heads)
        let steps = AttentionSteps(shape, queryCount: tokenCount, weightStride: tokenCount, engine: self)
        unsafe workers.run(imageCount * heads) { task, context, worker in
            let (image, head) = (task / heads, task % heads)
            let base = unsafe qkv.pointer + 3 * image * tokenCount * width + head * shape.headWidth
            let target = unsafe weights.pointer + task * tokenCount * tokenCount
            let scratch = unsafe workers.scratch(of: worker, floatCount: steps.workspaceCount)
            unsafe steps.weigh(context, q: base, k: base + width, workspace: scratch, into: target)
        }
    }
}

/// What all primitives of an attention have in common.
struct AttentionShape {
    var tokenCount: Int
    var width: Int
    var heads: Int
    var headWidth: Int { width / heads }
    /// Floats from the weights of a query to those of the next, so that each row begins a line of the cache.
    var weightStride: Int { (tokenCount + 15) / 16 * 16 }
}

/// The three steps of attention for a block of queries of one head; q, k and v lie side by side in rows of 3·D.
@safe
private struct AttentionSteps {
    private let queryCount: Int
    private let tokenCount: Int
    private let weightStride: Int
    private let scores: SmallProduct
    private let mix: SmallProduct
    /// Floats that the products need besides their operands, and those of all that a task needs.
    let workspaceCount: Int
    let scratchCount: Int

    /// Steps whose weights lie `weightStride` floats apart, by default as far as suits the caches.
    init(_ shape: AttentionShape, queryCount: Int, weightStride: Int? = nil, engine: CPUEngine) {
        let row = 3 * shape.width
        self.weightStride = weightStride ?? shape.weightStride
        var product = MatmulShape(
            rows: queryCount, inner: shape.headWidth, columns: shape.tokenCount, aStrides: (row, 1),
            bStrides: (1, row), cStride: self.weightStride)
        product.scale = 1 / Float(shape.headWidth).squareRoot()
        scores = SmallProduct(product, fillsRows: weightStride == nil, engine: engine)
        self.queryCount = queryCount
        tokenCount = shape.tokenCount
        mix = SmallProduct(
            MatmulShape(
                rows: queryCount, inner: shape.tokenCount, columns: shape.headWidth,
                aStrides: (self.weightStride, 1), bStrides: (row, 1), cStride: shape.width), engine: engine)
        workspaceCount = (max(scores.workspaceCount, mix.workspaceCount) + 15) / 16 * 16
        scratchCount = workspaceCount + queryCount * self.weightStride
    }

    func run(
        _ context: OpaquePointer, q: UnsafeMutablePointer<Float>, k: UnsafeMutablePointer<Float>,
        v: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, y: UnsafeMutablePointer<Float>
    ) {
        let weights = unsafe scratch + workspaceCount
        unsafe weigh(context, q: q, k: k, workspace: scratch, into: weights)
        unsafe mix.run(context, weights, v, into: y, workspace: scratch)
    }

    /// The weights of the queries: softmax(q·kᵀ/√d).
    func weigh(
        _ context: OpaquePointer, q: UnsafeMutablePointer<Float>, k: UnsafeMutablePointer<Float>,
        workspace: UnsafeMutablePointer<Float>, into weights: UnsafeMutablePointer<Float>
    ) {
        unsafe scores.run(context, q, k, into: weights, workspace: workspace)
        unsafe vit_softmax(weights, queryCount, tokenCount, weightStride)
    }
}
