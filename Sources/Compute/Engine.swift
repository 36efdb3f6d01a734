/// What a matrix product does to its result before it is written: `residual + columnScale · (x·Wᵀ + bias)`.
package struct LinearEpilogue: Sendable {
    /// Multiplies each column (layer scale); as long as a row of the result.
    package var columnScale: Tensor?
    /// Added last; of the shape of the result.
    package var residual: Tensor?

    /// Nothing but the bias where all are left out.
    package init(columnScale: Tensor? = nil, residual: Tensor? = nil) {
        self.columnScale = columnScale
        self.residual = residual
    }
}

/// The non-linear functions between two linear layers.
package enum Activation: Sendable, Hashable {
    /// x · Φ(x), with the error function.
    case gelu
    /// The approximation of GELU with tanh.
    case geluTanh
}

/// The arithmetic of Vision Transformers, at the grain of a layer: what a new device has to offer.
///
/// Shapes: B images, N tokens, D width, H heads, K inputs and M outputs of a linear layer. Results are written into
/// tensors that the caller owns; nothing is allocated once every shape has been seen. An operation has ended when it
/// returns, and its bits do not depend on the number of threads.
package protocol Engine: AnyObject, Sendable {
    /// A copy of a linear layer's `weight` (M, K) in the layout that `linear` wants.
    func pack(_ weight: Tensor) -> LinearWeights

    /// y (…, M) = epilogue(x (…, K) · Wᵀ + bias (M)).
    func linear(_ x: Tensor, _ weights: LinearWeights, bias: Tensor?, epilogue: LinearEpilogue, into y: Tensor)

    /// y (…, D) = epilogue(activation(x · W1ᵀ + b1) · W2ᵀ + b2); what the activation gets is kept in `preActivation` where
    /// that is given. `hidden` (…, 4·D) is room for what the activation gives.
    func mlp(
        _ x: Tensor, _ layers: MLPLayers, preActivation: Tensor?, hidden: Tensor, epilogue: LinearEpilogue,
        into y: Tensor)

    /// Rows of patches (B, L, K) become tokens: y (B, N, D), from its row `prefix` on, = x · Wᵀ + bias + positions, which are
    /// (L, D) for all images or (B, L, D).
    func embedPatches(
        _ patches: Tensor, _ weights: LinearWeights, bias: Tensor?, positions: Tensor, prefix: Int, into tokens: Tensor)

    /// Cuts pictures (B, C, height, width) into rows (B, L, C · patch height · patch width), patches row by row and each
    /// in the order (channel, row, column) of a convolution's weight.
    func patchRows(_ images: Tensor, patchHeight: Int, patchWidth: Int, into rows: Tensor)

    /// Writes `prefix` (P, D) over the first P tokens of every image of `tokens` (B, N, D).
    func setPrefix(_ prefix: Tensor, of tokens: Tensor)

    /// y = (x − mean) / √(variance + epsilon) · scale + shift over the last dimension D; mean and variance (rows) are
    /// kept for the backward pass.
    func layerNorm(
        _ x: Tensor, scale: Tensor, shift: Tensor, epsilon: Float, into y: Tensor, mean: Tensor, variance: Tensor)

    /// y = activation(x).
    func activate(_ x: Tensor, _ activation: Activation, into y: Tensor)

    /// Multi-head self-attention without its projections: qkv (B, N, 3·D) to y (B, Q, D), softmax(q·kᵀ/√(D/H))·v for the
    /// first Q ≤ N tokens' queries.
    func attention(_ qkv: Tensor, heads: Int, into y: Tensor)

    /// The same for the first Q tokens' queries, from the tokens x (B, N, D) and the projection `qkv` (3·D, D) of queries, keys
    /// and values: y (B, Q, D). What it adds up it may add up in another order; `room` (B, N, 3·D) is overwritten.
    func leadingAttention(
        _ x: Tensor, _ qkv: LinearWeights, bias: Tensor?, heads: Int, room: Tensor, into y: Tensor)

    /// The weights with which each token attends to each: qkv (B, N, 3·D) to softmax(q·kᵀ/√(D/H)) (B, H, N, N).
    func attentionWeights(_ qkv: Tensor, heads: Int, into weights: Tensor)

    /// The first P tokens of every image: x (B, N, D) to y (B, P, D).
    func leadingTokens(of x: Tensor, into y: Tensor)

    /// y (B, N, D) = x + imageScale (B) · columnScale (D) · branch; a scale that is left out is 1.
    func addBranch(_ branch: Tensor, columnScale: Tensor?, imageScale: Tensor?, to x: Tensor, into y: Tensor)

    /// Token `index` of every image: x (B, N, D) to y (B, D).
    func selectToken(_ index: Int, of x: Tensor, into y: Tensor)

    /// The mean of the tokens from `first` on: x (B, N, D) to y (B, D).
    func meanTokens(from first: Int, of x: Tensor, into y: Tensor)

    /// y = (a + b) / 2, element by element; y may be a or b.
    func average(_ a: Tensor, _ b: Tensor, into y: Tensor)

    /// Rows `prefix` and following of every image: x (B, P + K, W) to y (B, K, W).
    func dropPrefix(_ prefix: Int, of x: Tensor, into y: Tensor)

    /// The rows of a (B, D) with those of b (B, E) behind them: y (B, D + E).
    func concatenate(_ a: Tensor, _ b: Tensor, into y: Tensor)

    /// Divides each row of x (R, D) by its Euclidean length; a row of zeros stays.
    func normalizeRows(_ x: Tensor)

    /// The products of packed `queries` (Q, D), which have length 1, with `rowCount` vectors divided by their lengths:
    /// y (R, Q). `rows` writes the vectors of a range, one after the other; it is called on several threads, so that
    /// vectors can be converted where they are used and need not all be in memory.
    func cosines(
        of rowCount: Int, rows: (Range<Int>, UnsafeMutableBufferPointer<Float>) -> Void, with queries: LinearWeights,
        into y: Tensor)

    /// Runs `body` once for each of `count` tasks, on several threads and in no certain order; tasks write to disjoint places.
    func forEachTask(_ count: Int, _ body: (Int) -> Void)
}

/// The two layers of an MLP and what is between them.
package struct MLPLayers: Sendable {
    let first: LinearWeights
    let firstBias: Tensor?
    let activation: Activation
    let second: LinearWeights
    let secondBias: Tensor?

    package init(
        first: LinearWeights, firstBias: Tensor?, activation: Activation, second: LinearWeights, secondBias: Tensor?
    ) {
        self.first = first
        self.firstBias = firstBias
        self.activation = activation
        self.second = second
        self.secondBias = secondBias
    }
}

/// A linear layer's weight as the engine's products read it: packed for speed, or in place.
package final class LinearWeights: Sendable {
    /// The length of an input row (K).
    package let inputs: Int
    /// The length of an output row (M).
    package let outputs: Int
    /// Packed: the engine's own layout. Else the matrix (M, K) itself, which may change between two products.
    package let isPacked: Bool
    package let data: Tensor

    package init(inputs: Int, outputs: Int, packed storage: Storage) {
        self.inputs = inputs
        self.outputs = outputs
        isPacked = true
        data = Tensor(storage: storage, offset: 0, shape: [storage.byteCount / MemoryLayout<Float>.stride])
    }

    /// Reads `weight` (M, K) where it is.
    package init(inPlace weight: Tensor) {
        precondition(weight.shape.count == 2, "LinearWeights: expected (outputs, inputs), got \(weight.shape)")
        outputs = weight.shape[0]
        inputs = weight.shape[1]
        isPacked = false
        data = weight
    }
}
