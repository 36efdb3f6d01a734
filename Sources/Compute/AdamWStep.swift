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
    package let correction1: Float
    /// √(1 − β₂ᵗ).
    package let correction2Root: Float

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
