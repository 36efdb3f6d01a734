import Support

/// The arithmetic on tensors that a kind of hardware has to offer.
///
/// Nothing outside an engine touches a tensor's memory. Every layer and model is written in these operations: a set of
/// primitives, which an engine must have, and larger ones, which come with a default made of primitives
/// (`Engine+Defaults.swift`) and which an engine overrides where it has a faster way.
///
/// Shapes: B images, N tokens, D width, H heads, K inputs and M outputs of a linear layer. Results are written into
/// tensors that the caller owns. An operation has ended when it returns (or at the latest when the result's values are
/// read), and its bits do not depend on the number of threads. `d…` is the gradient of the loss with respect to the tensor
/// of that name: gradients of activations are assigned, gradients of parameters are added to.
package protocol Engine: AnyObject, Sendable {
    // MARK: The engine itself

    /// The number of threads at work.
    var threadCount: Int { get }

    /// The name to print: "CPU".
    var name: String { get }

    /// The instruction set of the matrix products, as people call it: "AVX-512".
    var instructionSet: String { get }

    /// The peak rates of the hardware, of products in `precision`, measured in a second or two.
    func measureCeiling(_ precision: Precision) -> ComputeCeiling

    /// Runs `body` once for each of `count` tasks, on several threads and in no certain order; tasks write to disjoint places.
    func forEachTask(_ count: Int, _ body: (Int) -> Void)

    // MARK: Linear layers

    /// A layer's `weight` (M, K) as this engine's products at `precision` read it: packed, or in place where it `changes`
    /// between two products, which int8 cannot.
    func linearWeights(_ weight: Tensor, precision: Precision, changes: Bool) -> any LinearWeights

    /// y (…, M) = epilogue(x (…, K) · Wᵀ + bias (M)).
    func linear(_ x: Tensor, _ weights: any LinearWeights, bias: Tensor?, epilogue: LinearEpilogue, into y: Tensor)

    /// dx (…, K) = dy (…, M) · W.
    func linearInputGradient(_ dy: Tensor, _ weights: any LinearWeights, dx: Tensor)

    /// dWeight (M, K) += dyᵀ · x, at the precision of the weights; dBias (M) += the sum of dy's rows.
    func linearWeightGradient(
        _ dy: Tensor, x: Tensor, _ weights: any LinearWeights, dWeight: Tensor, dBias: Tensor?)

    // MARK: Products of matrices

    /// c = scale · a · b, for every matrix of the batches; with `accumulates`, added to c, matrix after matrix in order where
    /// several go to one place.
    func matmul(_ a: MatrixBatch, _ b: MatrixBatch, scale: Float, accumulates: Bool, into c: MatrixBatch)

    // MARK: Rows

    /// x = softmax(x) over the last dimension.
    func softmax(_ x: Tensor)

    /// The same where each query sees the keys up to its own alone: row r of the last Q rows of x (…, Q, N) over its first
    /// N − Q + r + 1 numbers; the others become 0.
    func causalSoftmax(_ x: Tensor)

    /// d, the gradient with respect to y = softmax(x), becomes the one with respect to x.
    func softmaxBackward(_ y: Tensor, d: Tensor)

    /// y = (x − mean) / √(variance + epsilon) · weight + bias over the last dimension D; mean and variance (rows) are
    /// kept for the backward pass (Ba et al. 2016).
    func layerNorm(
        _ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Float, into y: Tensor, mean: Tensor, variance: Tensor)

    /// dx = the gradient through the norm, plus `residual` where it is given; dx may be dy or `residual`. dWeight and dBias
    /// (D) are added to.
    func layerNormBackward(
        _ dy: Tensor, x: Tensor, weight: Tensor, epsilon: Float, mean: Tensor, variance: Tensor, residual: Tensor?,
        dx: Tensor, dWeight: Tensor, dBias: Tensor)

    /// y = activation(x); y may be x.
    func activate(_ x: Tensor, _ activation: Activation, into y: Tensor)

    /// dx = dy · activation'(x); dx may be dy.
    func activateBackward(_ dy: Tensor, x: Tensor, _ activation: Activation, dx: Tensor)

    /// Divides each row of x (R, D) by its Euclidean length; a row of zeros stays.
    func normalizeRows(_ x: Tensor)

    // MARK: Tokens

    /// Tokens `range` of every image: x (B, N, D) to y (B, n, D).
    func copyTokens(_ range: Range<Int>, of x: Tensor, into y: Tensor)

    /// Overwrites tokens `range` of every image of x (B, N, D) with those of y (B, n, D).
    func setTokens(_ range: Range<Int>, of x: Tensor, to y: Tensor)

    /// Overwrites the first P tokens of every image of x (B, N, D) with `tokens` (P, D).
    func repeatTokens(_ tokens: Tensor, into x: Tensor)

    /// dTokens (P, D) += the first P tokens of dx (B, N, D), summed over the images: `repeatTokens`' backward.
    func repeatTokensBackward(_ dx: Tensor, dTokens: Tensor)

    /// The mean of the tokens from `first` on: x (B, N, D) to y (B, D).
    func meanTokens(from first: Int, of x: Tensor, into y: Tensor)

    /// dx (B, N, D) from dy (B, D): the tokens from `first` on get an equal share, the others 0.
    func meanTokensBackward(_ dy: Tensor, from first: Int, dx: Tensor)

    /// y (B, K, W) = the rows `index` (B, K) of each x (B or 1, L, W).
    func gather(_ index: Tensor, of x: Tensor, into y: Tensor)

    /// dTable (L, W) += for each of its rows the sum of dy (B, K, W) where `index` (B, K) names it, image after image:
    /// `gather`'s backward for one table.
    func gatherBackward(_ dy: Tensor, index: Tensor, dTable: Tensor)

    // MARK: Elements

    /// x = 0.
    func zero(_ x: Tensor)

    /// y += x.
    func add(_ x: Tensor, into y: Tensor)

    /// x = factor · x.
    func scale(_ x: Tensor, by factor: Float)

    /// y += weight · (x − y).
    func lerp(_ y: Tensor, toward x: Tensor, weight: Float)

    /// y (B, N, D) = x + imageScale (B) · columnScale (D) · branch; a scale that is left out is 1. y may be x.
    func addBranch(_ branch: Tensor, columnScale: Tensor?, imageScale: Tensor?, to x: Tensor, into y: Tensor)

    /// dBranch (B, N, D) = imageScale · columnScale · dy; dColumnScale (D) += Σ imageScale · dy · branch.
    func addBranchBackward(
        _ dy: Tensor, branch: Tensor, columnScale: Tensor?, imageScale: Tensor?, dBranch: Tensor, dColumnScale: Tensor?)

    /// √(Σ x²), in double and in a fixed order.
    func norm(_ x: Tensor) -> Double

    // MARK: Images

    /// Cuts images (B, C, height, width) into rows (B, L, C · patch height · patch width), patches row by row and each
    /// in the order (channel, row, column) of a convolution's weight.
    func patchify(_ images: Tensor, patch: Size, into rows: Tensor)

    /// The target of masked autoencoding from images (B, C, height, width): patches (B, L, p·p·C) in the order (row,
    /// column, channel), each less its mean and divided by √(unbiased variance + 1e-6) where `normalizes` (He et al. 2022).
    func pixelTargets(_ images: Tensor, patch: Size, normalizes: Bool, into targets: Tensor)

    /// One step of gradient descent with momentum: gradient += decay · weights, velocity = momentum · velocity + scale ·
    /// gradient, weights −= rate · velocity. The scale is trust · ‖weights‖ / ‖gradient‖, and 1 without a trust coefficient
    /// or where a norm is 0.
    func momentumStep(_ weights: Tensor, gradient: Tensor, velocity: Tensor, _ settings: MomentumStep)

    /// Each image i of (B, …) = weight · image i + rest · image B − 1 − i, all at once; one in the middle stays.
    func mixReversed(_ images: Tensor, weight: Float, rest: Float)

    /// Images i and B − 1 − i of (B, C, height, width) exchange a rectangle.
    func swapReversed(_ images: Tensor, rows: Range<Int>, columns: Range<Int>)

    // MARK: Losses and the optimizer

    /// The cross-entropy of logits (B, C) with targets (B, C), for each image (B), and `scale` times the gradient of its
    /// sum; dLogits may be the logits. Targets need not add up to 1: with class weights they do not.
    func crossEntropy(_ logits: Tensor, targets: Tensor, scale: Float, losses: Tensor, dLogits: Tensor)

    /// The mean over a patch of (prediction − target)², for each predicted patch (B, K), and the gradient of
    /// Σ weights · loss by the prediction; `weights` (B, K) are 0 where a patch was visible. The targets are those of the
    /// patches `index` (B, K) among L of each image, or all in order. dPrediction may be the prediction.
    func patchLoss(
        _ prediction: Tensor, target: Tensor, index: Tensor?, weights: Tensor, losses: Tensor, dPrediction: Tensor?)

    /// One step of AdamW over `weights`, elements `range`, and its two moments.
    func adamW(
        _ weights: Tensor, gradients: Tensor, moments: (first: Tensor, second: Tensor), range: Range<Int>,
        _ settings: AdamWStep)

    // MARK: Larger operations, with defaults

    /// y (…, D) = epilogue(activation(x · W1ᵀ + b1) · W2ᵀ + b2); the activation's input is kept in `preActivation` where
    /// that is given. `hidden` (…, 4·D) is workspace for the activation's output.
    func mlp(
        _ x: Tensor, _ layers: MLPLayers, preActivation: Tensor?, hidden: Tensor, epilogue: LinearEpilogue,
        into y: Tensor)

    /// dx and, for the first layer, dHidden (…, 4·D) from dy and the activation's input. dx may be dy; the gradients of the
    /// layers' parameters are not part of it.
    func mlpInputGradient(_ dy: Tensor, _ layers: MLPLayers, preActivation: Tensor, dHidden: Tensor, dx: Tensor)

    /// Multi-head self-attention without its projections: qkv (B, N, 3·D) to y (B, Q, D), softmax(q·kᵀ/√(D/H))·v for the
    /// first Q ≤ N tokens' queries (Vaswani et al. 2017).
    func attention(_ qkv: Tensor, heads: Int, into y: Tensor)

    /// The same for all tokens, each of which attends to itself and those before it.
    func causalAttention(_ qkv: Tensor, heads: Int, into y: Tensor)

    /// dqkv (B, N, 3·D) from dy (B, N, D); the probabilities are computed again from qkv, and so is the result of the
    /// forward pass, into y (B, N, D).
    func attentionBackward(_ dy: Tensor, qkv: Tensor, heads: Int, dqkv: Tensor, y: Tensor)

    /// The weights with which each token attends to each: qkv (B, N, 3·D) to softmax(q·kᵀ/√(D/H)) (B, H, N, N).
    func attentionWeights(_ qkv: Tensor, heads: Int, into weights: Tensor)

    /// The same for few queries, such as the class token's, from the tokens x (B, N, D) and the projection `qkv` (3·D, D) to
    /// queries, keys and values: y (B, Q, D). It may sum in another order; `workspace` (B, N, 3·D) is overwritten.
    func queryAttention(
        _ x: Tensor, _ qkv: any LinearWeights, bias: Tensor?, heads: Int, workspace: Tensor, into y: Tensor)

    /// Rows of patches (B, L, K) become tokens: y (B, N, D), from its row `first` on, = x · Wᵀ + bias + positions, which are
    /// (L, D) for all images or (B, L, D).
    func embedPatches(
        _ patches: Tensor, _ weights: any LinearWeights, bias: Tensor?, positions: Tensor, from first: Int,
        into tokens: Tensor)

    /// Overwrites the first tokens of x (B, N, D) with y (B, n, D), and all others with 0.
    func padTokens(_ y: Tensor, into x: Tensor)

    /// All tokens of a masked image, full (B, P + L, W): the mask token (W) for each removed patch, then the visible tokens
    /// (B, P + K, W) as they are; and to each its row of `positions` (P + L, W) is added. `order` (B, L) names the patches:
    /// the K visible ones, then the removed ones.
    func completeTokens(_ visible: Tensor, order: Tensor, maskToken: Tensor, positions: Tensor, into full: Tensor)

    /// dVisible from dFull; dMaskToken (W) is added to.
    func completeTokensBackward(_ dFull: Tensor, dVisible: Tensor, dMaskToken: Tensor)

    /// The products of `queries` (Q, D), which have length 1, with `rowCount` vectors divided by their lengths: y (R, Q).
    ///
    /// `rows` writes the vectors of a range, one after the other; it is called on several threads, so that vectors can be
    /// converted where they are used and need not all be in memory.
    func cosines(
        of rowCount: Int, rows: (Range<Int>, inout MutableSpan<Float>) -> Void, with queries: any LinearWeights,
        into y: Tensor)
}
