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
    /// The number of threads at work.
    var threadCount: Int { get }

    /// What the cores can do at most, measured in a second or two.
    func measureCeiling() -> ComputeCeiling

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
    /// and values: y (B, Q, D). What it adds up it may add up in another order; `workspace` (B, N, 3·D) is overwritten.
    func leadingAttention(
        _ x: Tensor, _ qkv: LinearWeights, bias: Tensor?, heads: Int, workspace: Tensor, into y: Tensor)

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

    // The backward half, and what else a training step needs. `d…` is the gradient of the loss with respect to the tensor
    // of that name: gradients of activations are assigned, those of parameters are added to what is there.

    /// dx (…, K) = dy (…, M) · W.
    func linearInputGradient(_ dy: Tensor, weight: Tensor, dx: Tensor)

    /// The way back through both layers of an MLP, without their gradients: dx and, for the first layer, dHidden (…, 4·D)
    /// from dy, with what the activation got.
    func mlpInputGradient(
        _ dy: Tensor, firstWeight: Tensor, secondWeight: Tensor, preActivation: Tensor, _ activation: Activation,
        dHidden: Tensor, dx: Tensor)

    /// dWeight (M, K) += dyᵀ · x; dBias (M) += the sum of dy's rows.
    func linearWeightGradient(_ dy: Tensor, x: Tensor, dWeight: Tensor, dBias: Tensor?)

    /// dx = the gradient through the norm, plus `residual` where it is given; dx may be dy or `residual`. dScale and dShift (D)
    /// are added to.
    func layerNormBackward(
        _ dy: Tensor, x: Tensor, scale: Tensor, epsilon: Float, mean: Tensor, variance: Tensor, residual: Tensor?,
        dx: Tensor, dScale: Tensor, dShift: Tensor)

    /// dx = dy · activation'(x); dx may be dy.
    func activateBackward(_ dy: Tensor, x: Tensor, _ activation: Activation, dx: Tensor)

    /// dqkv (B, N, 3·D) from dy (B, N, D); the probabilities are computed again from qkv, and so is the result of the
    /// forward pass, into y (B, N, D).
    func attentionBackward(_ dy: Tensor, qkv: Tensor, heads: Int, dqkv: Tensor, y: Tensor)

    /// y (B, K, W) = the rows `index` (B, K) of each x (B or 1, L, W).
    func gatherRows(_ x: Tensor, index: [Int32], into y: Tensor)

    /// The way back of `gatherRows` from one table: dTable (L, W) += for each of its rows the sum of dy (B, K, W) where
    /// `index` names it, in the order of the images.
    func scatterRowSums(_ dy: Tensor, index: [Int32], into dTable: Tensor)

    /// All tokens of a masked picture, full (B, L + P, W): the mask token (W) for each removed patch, then the visible tokens
    /// (B, P + K, W) as they are; and to each its row of `positions` (P + L, W) is added. `order` (B, L) names the patches:
    /// the K visible ones, then the removed ones.
    func completeTokens(
        _ visible: Tensor, order: [Int32], maskToken: Tensor, positions: Tensor, into full: Tensor)

    /// dVisible from dFull; dMaskToken (W) is added to.
    func completeTokensBackward(_ dFull: Tensor, dVisible: Tensor, dMaskToken: Tensor)

    /// The way back of `leadingTokens`: dx (B, N, D) from dy (B, P, D), the other tokens 0.
    func leadingTokensBackward(_ dy: Tensor, dx: Tensor)

    /// dPrefix (P, W) += the first P rows of dTokens (B, N, W), summed over the images.
    func addPrefixGradient(_ dTokens: Tensor, dPrefix: Tensor)

    /// The target of masked autoencoding from pictures (B, C, height, width): patches (B, L, p·p·C) in the order (row,
    /// column, channel), each less its mean and divided by √(unbiased variance + 1e-6) where `normalizes`.
    func pixelTargets(_ images: Tensor, patchHeight: Int, patchWidth: Int, normalizes: Bool, into targets: Tensor)

    /// The mean over a patch of (prediction − target)², for each predicted patch (B, K), and the gradient of
    /// Σ weights · loss by the prediction; `weights` (B, K) are 0 where a patch was visible. The targets are those of the
    /// patches `index` (B, K) among L of each image, or all in order.
    func patchLoss(
        _ prediction: Tensor, target: Tensor, index: [Int32]?, weights: Tensor, losses: Tensor, dPrediction: Tensor?)

    /// Token `index` of every image: x (B, N, D) gets it from y (B, D).
    func setToken(_ index: Int, of x: Tensor, to y: Tensor)

    /// dx (B, N, D) from dy (B, D): the tokens from `first` on get an equal share, the others 0.
    func meanTokensBackward(_ dy: Tensor, from first: Int, dx: Tensor)

    /// dBranch (B, N, D) = imageScale · columnScale · dy; dColumnScale (D) += Σ imageScale · dy · branch.
    func addBranchBackward(
        _ dy: Tensor, branch: Tensor, columnScale: Tensor?, imageScale: Tensor?, dBranch: Tensor, dColumnScale: Tensor?)

    /// The cross-entropy of logits (B, C) with targets (B, C), for each image (B), and `scale` times the gradient of its
    /// sum; dLogits may be the logits. Targets need not add up to 1: with class weights they do not.
    func crossEntropy(_ logits: Tensor, targets: Tensor, scale: Float, losses: Tensor, dLogits: Tensor)

    /// One step of AdamW over `weights`, elements `range`, and its two moments.
    func adamW(
        _ weights: Tensor, gradients: Tensor, moments: (first: Tensor, second: Tensor), range: Range<Int>,
        _ settings: AdamWStep)

    /// Each image i of (B, …) = weight · image i + rest · image B − 1 − i, all at once; one in the middle stays.
    func mixReversed(_ images: Tensor, weight: Float, rest: Float)

    /// Images i and B − 1 − i of (B, C, height, width) exchange a rectangle.
    func swapReversed(_ images: Tensor, rows: Range<Int>, columns: Range<Int>)

    /// √(Σ x²), in double and in a fixed order.
    func norm(_ x: Tensor) -> Double

    /// x = 0.
    func clear(_ x: Tensor)

    /// y += x.
    func add(_ x: Tensor, into y: Tensor)

    /// x = factor · x.
    func multiply(_ x: Tensor, by factor: Float)

    /// y += share · (x − y).
    func approach(_ x: Tensor, into y: Tensor, share: Float)
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
