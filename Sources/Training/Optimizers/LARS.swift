import Compute

/// Stochastic gradient descent with momentum, with or without layer-wise rates.
///
/// You, Gitman and Ginsburg 2017, algorithm 1 (LARS); the velocity does not hold the learning rate, as in PyTorch's SGD.
package struct LARS: Sendable, Hashable {
    /// The fraction of the velocity that stays.
    package var momentum = 0.9
    /// The trust coefficient: a step is this fraction of the weights' norm, times the learning rate; nil: plain SGD.
    package var trust: Double? = 0.001
    /// Added to the gradient, times the weights; none on vectors.
    package var weightDecay = 0.0

    /// MAE's linear probing: momentum 0.9, trust 0.001, no decay (He et al. 2022, table 10).
    package init() {}

    /// One step. `isVector`: biases and norms, which are neither scaled nor decayed.
    package func update(
        _ weights: Tensor, gradient: Tensor, velocity: Tensor, learningRate: Double, isVector: Bool,
        engine: any Engine
    ) {
        engine.momentumStep(
            weights, gradient: gradient, velocity: velocity,
            MomentumStep(
                learningRate: Float(learningRate), momentum: Float(momentum),
                weightDecay: Float(isVector ? 0 : weightDecay), trust: isVector ? nil : trust))
    }
}
