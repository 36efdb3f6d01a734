/// The backward half of the arithmetic, and what else a training step needs.
///
/// `d…` is the gradient of the loss by the tensor of that name. Gradients of activations are assigned; gradients of
/// parameters are added to what is there.
package protocol TrainingEngine: Engine {
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

/// The numbers of one AdamW step (Loshchilov and Hutter 2019, algorithm 2).
package struct AdamWStep: Sendable {
    package var learningRate: Float
    package var weightDecay: Float
    package let beta1: Float
    package let beta2: Float
    package let epsilon: Float
    /// Multiplies each gradient first.
    package let gradientScale: Float
    /// 1 − β₁ᵗ.
    let correction1: Float
    /// √(1 − β₂ᵗ).
    let correction2Root: Float

    /// Step number `step`, counted from 1; its corrections are computed in double, as PyTorch does.
    package init(
        learningRate: Float, beta1: Float = 0.9, beta2: Float = 0.95, epsilon: Float = 1e-8, weightDecay: Float = 0.05,
        step: Int, gradientScale: Float = 1
    ) {
        func power(_ base: Float) -> Double { (0..<step).reduce(1.0) { product, _ in product * Double(base) } }
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.gradientScale = gradientScale
        correction1 = Float(1 - power(beta1))
        correction2Root = Float((1 - power(beta2)).squareRoot())
    }
}
