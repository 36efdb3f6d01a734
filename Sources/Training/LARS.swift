import Compute

/// Stochastic gradient descent with momentum, and with layer-wise rates where asked for.
///
/// You, Gitman and Ginsburg 2017, algorithm 1 (LARS); the velocity does not hold the learning rate, as in PyTorch's SGD.
package struct LARS: Sendable, Hashable {
    /// The part of the velocity that stays.
    package var momentum = 0.9
    /// The trust coefficient: a step is this part of the weights' norm, times the learning rate; nil: plain SGD.
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
        precondition(
            gradient.count == weights.count && velocity.count == weights.count,
            "LARS: got weights \(weights.shape), gradient \(gradient.shape), velocity \(velocity.shape)")
        let decay = Float(isVector ? 0 : weightDecay)
        let (w, g, v) = unsafe (weights.pointer, gradient.pointer, velocity.pointer)
        for i in 0..<weights.count { unsafe g[i] += decay * w[i] }
        let scale = Float(isVector ? 1 : scale(weights, gradient, engine))
        let (keep, rate) = (Float(momentum), Float(learningRate))
        for i in 0..<weights.count {
            unsafe v[i] = keep * v[i] + scale * g[i]
            unsafe w[i] -= rate * v[i]
        }
    }

    /// trust · ‖w‖ / ‖g‖, or 1 where one of them is zero.
    private func scale(_ weights: Tensor, _ gradient: Tensor, _ engine: any Engine) -> Double {
        guard let trust else { return 1 }
        let (weightNorm, gradientNorm) = (engine.norm(weights), engine.norm(gradient))
        return weightNorm > 0 && gradientNorm > 0 ? trust * weightNorm / gradientNorm : 1
    }
}
