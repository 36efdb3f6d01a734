import Compute

/// Layer normalisation over a token (Ba et al. 2016).
package struct LayerNorm: Sendable {
    package let scale: Parameter
    package let shift: Parameter
    package let epsilon: Float

    /// Takes `name.weight` and `name.bias`.
    package init(_ name: String, epsilon: Float, from source: some ParameterSource) throws {
        scale = try source.parameter("\(name).weight")
        shift = try source.parameter("\(name).bias")
        self.epsilon = epsilon
    }

    /// x (…, D) to y of the same shape; the statistics are kept for the backward pass.
    package func forward(_ x: Tensor, statistics: NormStatistics, engine: any Engine, into y: Tensor) {
        engine.layerNorm(
            x, scale: scale.value, shift: shift.value, epsilon: epsilon, into: y, mean: statistics.mean,
            variance: statistics.variance)
    }
}

/// Mean and variance of each row, as a norm's forward pass leaves them.
package struct NormStatistics: Sendable {
    package let mean: Tensor
    package let variance: Tensor

    package init(rowCount: Int) {
        mean = Tensor(shape: [rowCount])
        variance = Tensor(shape: [rowCount])
    }

    private init(mean: Tensor, variance: Tensor) {
        self.mean = mean
        self.variance = variance
    }

    /// Those of the first `count` rows.
    package func first(_ count: Int) -> NormStatistics {
        NormStatistics(mean: mean.rows(0..<count), variance: variance.rows(0..<count))
    }
}
