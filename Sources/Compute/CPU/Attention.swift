import CKernels

extension CPUEngine {
    package func attention(_ qkv: Tensor, heads: Int, into y: Tensor) {
        attend(qkv, heads: heads, isCausal: false, into: y)
    }

    package func causalAttention(_ qkv: Tensor, heads: Int, into y: Tensor) {
        precondition(y.shape[1] == qkv.shape[1], "causalAttention: got qkv \(qkv.shape), y \(y.shape)")
        attend(qkv, heads: heads, isCausal: true, into: y)
    }

    private func attend(_ qkv: Tensor, heads: Int, isCausal: Bool, into y: Tensor) {
        let (imageCount, tokenCount) = (qkv.shape[0], qkv.shape[1])
        let width = qkv.shape[2] / 3
        let queryCount = y.shape[1]
        precondition(
            qkv.shape.count == 3 && qkv.shape[2] == 3 * width && width % heads == 0 && queryCount <= tokenCount
                && y.shape == [imageCount, queryCount, width],
            "attention: \(heads) heads got qkv \(qkv.shape), y \(y.shape)")
        let shape = HeadShape(tokenCount: tokenCount, width: width, heads: heads)
        let size = Self.queriesPerTask(queryCount: queryCount, tokenCount: tokenCount, heads: imageCount * heads)
        let blocks = stride(from: 0, to: queryCount, by: size).map { query in
            HeadAttention(
                shape, queryCount: min(size, queryCount - query), causalStart: isCausal ? query : nil,
                kernel: kernel(for: qkv.type))
        }
        let scratchCount = blocks.map(\.scratchCount).max() ?? 0
        workers.run(imageCount * heads * blocks.count) { task, worker in
            let block = task % blocks.count
            let head = task / blocks.count % heads
            let image = task / (blocks.count * heads)
            let query = block * size
            let scratch = unsafe scratch(of: worker, floatCount: scratchCount)
            let base = qkv.elements + (3 * image * tokenCount * width + head * shape.headWidth)
            let output = unsafe y.pointer + (image * queryCount + query) * width + head * shape.headWidth
            unsafe blocks[block].run(
                q: base + query * 3 * width, k: base + width, v: base + 2 * width, scratch: scratch, y: output)
        }
    }

    package func attentionWeights(_ qkv: Tensor, heads: Int, into weights: Tensor) {
        let (imageCount, tokenCount) = (qkv.shape[0], qkv.shape[1])
        let width = qkv.shape[2] / 3
        precondition(
            weights.count == imageCount * heads * tokenCount * tokenCount,
            "attentionWeights: \(heads) heads got qkv \(qkv.shape), weights \(weights.shape)")
        let shape = HeadShape(tokenCount: tokenCount, width: width, heads: heads)
        let attention = HeadAttention(
            shape, queryCount: tokenCount, weightStride: tokenCount, kernel: kernel(for: qkv.type))
        workers.run(imageCount * heads) { task, worker in
            let (image, head) = (task / heads, task % heads)
            let base = qkv.elements + (3 * image * tokenCount * width + head * shape.headWidth)
            let target = unsafe weights.pointer + task * tokenCount * tokenCount
            let workspace = unsafe scratch(of: worker, floatCount: attention.workspaceCount)
            unsafe attention.computeWeights(q: base, k: base + width, workspace: workspace, into: target)
        }
    }

    /// The product for queries, keys and values of a type.
    private func kernel(for type: ElementType) -> GemmKernel {
        GemmKernel(kernel.instructionSet, type == .bfloat16 ? .bfloat16 : .float32)
    }

    /// Queries of a head that one task handles: few enough that their scores stay in the core's own cache, and enough to be
    /// worth packing the keys, one of which takes as long as a part of a query; and such that both two and four threads get
    /// equal shares.
    private static func queriesPerTask(queryCount: Int, tokenCount: Int, heads: Int) -> Int {
        let longest = 256
        let fewest = max(1, (queryCount + longest - 1) / longest)
        var best = (size: longest, cost: Int.max)
        for blockCount in fewest...max(fewest, queryCount / 36) {
            let size = max(1, (queryCount + blockCount - 1) / blockCount)
            let cost = [2, 4].reduce(0) { cost, threads in
                let rounds = (heads * blockCount + threads - 1) / threads
                // A partial tile of a kernel takes as long as two rows more.
                return cost + threads * rounds * ((size % 12 == 0 ? size : size + 2) + tokenCount / 24)
            }
            if cost < best.cost { best = (size, cost) }
        }
        return best.size
    }
}

/// The sizes that the products of one head have in common; its q, k and v lie side by side in rows of 3·D.
private struct HeadShape {
    let tokenCount: Int
    let width: Int
    let headWidth: Int
    /// The factor 1/√d of the scores.
    let scale: Float

    init(tokenCount: Int, width: Int, heads: Int) {
        self.tokenCount = tokenCount
        self.width = width
        headWidth = width / heads
        scale = 1 / Float(headWidth).squareRoot()
    }

    /// Floats from a row of q, k or v to the next.
    var rowStride: Int { 3 * width }
    /// Floats from the weights of a query to those of the next, so that each row begins a line of the cache.
    var weightStride: Int { (tokenCount + 15) / 16 * 16 }
}

/// Attention of one head for a block of queries: softmax(QKᵀ/√d)·V.
private struct HeadAttention {
    private let queryCount: Int
    /// The keys that any of the queries attends to, and where they attend to none behind themselves, those of the first.
    private let keyCount: Int
    private let causalCount: Int?
    private let weightStride: Int
    private let scores: SmallGemm
    private let output: SmallGemm
    /// Floats that the products need besides their operands, and those of all that a task needs.
    let workspaceCount: Int
    let scratchCount: Int

    /// - Parameters:
    ///   - causalStart: the number of the first query, where each attends to no token behind itself.
    ///   - weightStride: the floats from the weights of a query to the next, by default as far as suits the caches.
    init(
        _ shape: HeadShape, queryCount: Int, causalStart: Int? = nil, weightStride: Int? = nil, kernel: GemmKernel
    ) {
        let stride = weightStride ?? shape.weightStride
        keyCount = causalStart.map { $0 + queryCount } ?? shape.tokenCount
        causalCount = causalStart.map { $0 + 1 }
        scores = SmallGemm(
            kernel: kernel, m: queryCount, n: keyCount, k: shape.headWidth, aStrides: (shape.rowStride, 1),
            bStrides: (1, shape.rowStride), cStride: stride, alpha: shape.scale, fillsRows: weightStride == nil)
        output = SmallGemm(
            kernel: kernel, m: queryCount, n: shape.headWidth, k: keyCount, aStrides: (stride, 1),
            bStrides: (shape.rowStride, 1), cStride: shape.width)
        self.queryCount = queryCount
        self.weightStride = stride
        workspaceCount = (max(scores.workspaceCount, output.workspaceCount) + 15) / 16 * 16
        scratchCount = workspaceCount + queryCount * stride
    }

    func run(
        q: Elements, k: Elements, v: Elements, scratch: UnsafeMutablePointer<Float>, y: UnsafeMutablePointer<Float>
    ) {
        let weights = unsafe scratch + workspaceCount
        unsafe computeWeights(q: q, k: k, workspace: scratch, into: weights)
        unsafe output.run(Elements(weights), v, into: y, workspace: scratch)
    }

    /// The attention weights of the queries: softmax(QKᵀ/√d).
    func computeWeights(
        q: Elements, k: Elements, workspace: UnsafeMutablePointer<Float>, into weights: UnsafeMutablePointer<Float>
    ) {
        unsafe scores.run(q, k, into: weights, workspace: workspace)
        if let causalCount {
            unsafe vit_causal_softmax(weights, queryCount, causalCount, keyCount, weightStride)
        } else {
            unsafe vit_softmax(weights, queryCount, keyCount, weightStride)
        }
    }
}

// MARK: - Backward

extension CPUEngine {
    package func attentionBackward(_ dy: Tensor, qkv: Tensor, heads: Int, dqkv: Tensor, y: Tensor) {
        let (imageCount, tokenCount) = (qkv.shape[0], qkv.shape[1])
        let width = qkv.shape[2] / 3
        precondition(
            qkv.shape[2] == 3 * width && width % heads == 0 && dqkv.count == qkv.count
                && dy.count == imageCount * tokenCount * width && y.count == dy.count,
            "attentionBackward: \(heads) heads got dy \(dy.shape), qkv \(qkv.shape), dqkv \(dqkv.shape), y \(y.shape)")
        let shape = HeadShape(tokenCount: tokenCount, width: width, heads: heads)
        let backward = HeadAttentionBackward(shape, kernel: kernel(for: qkv.type))
        workers.run(imageCount * heads) { task, worker in
            let (image, head) = (task / heads, task % heads)
            let offset = image * tokenCount * width + head * shape.headWidth
            let offset3 = 3 * image * tokenCount * width + head * shape.headWidth
            unsafe backward.run(
                qkv: qkv.elements + offset3, dy: dy.pointer + offset, dqkv: dqkv.pointer + offset3,
                y: y.pointer + offset,
                scratch: scratch(of: worker, floatCount: backward.scratchCount))
        }
    }
}

/// The backward pass of one head's attention:
/// P = softmax(QKᵀ/√d), Y = P·V, dV = Pᵀ·dY, dP = dY·Vᵀ, dS = softmax'(P, dP), dQ = dS·K/√d, dK = dSᵀ·Q/√d.
private struct HeadAttentionBackward {
    private let shape: HeadShape
    private let scores: SmallGemm
    private let output: SmallGemm
    private let valueGradient: SmallGemm
    private let weightGradient: SmallGemm
    private let queryGradient: SmallGemm
    private let keyGradient: SmallGemm
    /// Floats that the products need besides their operands, and those of all that a task needs.
    private let workspaceCount: Int
    let scratchCount: Int

    init(_ shape: HeadShape, kernel: GemmKernel) {
        let (row, stride) = (shape.rowStride, shape.weightStride)
        /// (N, N) from rows of a head's width.
        func weights(a: Int, alpha: Float = 1) -> SmallGemm {
            SmallGemm(
                kernel: kernel, m: shape.tokenCount, n: shape.tokenCount, k: shape.headWidth, aStrides: (a, 1),
                bStrides: (1, row), cStride: stride, alpha: alpha, fillsRows: true)
        }
        /// Rows of a head's width from (N, N).
        func rows(a: (Int, Int), b: Int, c: Int, alpha: Float = 1) -> SmallGemm {
            SmallGemm(
                kernel: kernel, m: shape.tokenCount, n: shape.headWidth, k: shape.tokenCount, aStrides: a,
                bStrides: (b, 1), cStride: c, alpha: alpha)
        }
        self.shape = shape
        scores = weights(a: row, alpha: shape.scale)
        output = rows(a: (stride, 1), b: row, c: shape.width)
        valueGradient = rows(a: (1, stride), b: shape.width, c: row)
        weightGradient = weights(a: shape.width)
        queryGradient = rows(a: (stride, 1), b: row, c: row, alpha: shape.scale)
        keyGradient = rows(a: (1, stride), b: row, c: row, alpha: shape.scale)
        let products = [scores, output, valueGradient, weightGradient, queryGradient, keyGradient]
        workspaceCount = ((products.map(\.workspaceCount).max() ?? 0) + 15) / 16 * 16
        scratchCount = workspaceCount + 2 * shape.tokenCount * stride
    }

    func run(
        qkv: Elements, dy: UnsafeMutablePointer<Float>, dqkv: UnsafeMutablePointer<Float>,
        y: UnsafeMutablePointer<Float>, scratch workspace: UnsafeMutablePointer<Float>
    ) {
        let (count, stride, width) = (shape.tokenCount, shape.weightStride, shape.width)
        let (q, k, v) = (qkv, qkv + width, qkv + 2 * width)
        let weights = unsafe workspace + workspaceCount
        let gradient = unsafe weights + count * stride
        let (p, ds, dy) = unsafe (Elements(weights), Elements(gradient), Elements(dy))
        unsafe scores.run(q, k, into: weights, workspace: workspace)
        unsafe vit_softmax(weights, count, count, stride)
        unsafe output.run(p, v, into: y, workspace: workspace)
        unsafe valueGradient.run(p, dy, into: dqkv + 2 * width, workspace: workspace)
        unsafe weightGradient.run(dy, v, into: gradient, workspace: workspace)
        unsafe vit_softmax_backward(weights, count, count, stride, gradient)
        unsafe queryGradient.run(ds, k, into: dqkv, workspace: workspace)
        unsafe keyGradient.run(ds, q, into: dqkv + width, workspace: workspace)
    }
}
