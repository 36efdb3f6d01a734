import Compute

/// Layer normalization of every token (Ba et al. 2016).
package struct LayerNorm: Sendable {
    package let weight: Parameter
    package let bias: Parameter
    package let epsilon: Float

    /// Mean and variance of each row, as the forward pass leaves them for the backward pass.
    package struct Statistics: Sendable {
        fileprivate let mean: Tensor
        fileprivate let variance: Tensor
    }

    /// Statistics of `rowCount` rows; `isKept`: for a backward pass.
    package static func statistics(_ rowCount: Int, isKept: Bool, in workspace: Workspace) -> Statistics {
        func place(_ slot: Workspace.Slot) -> Tensor {
            isKept ? workspace.kept(slot, [rowCount]) : workspace.tensor([rowCount])
        }
        return Statistics(mean: place("mean"), variance: place("variance"))
    }

    /// x (…, D) to y of the same shape.
    package func forward(_ x: Tensor, statistics: Statistics, engine: any Engine, into y: Tensor) {
        engine.layerNorm(
            x, weight: weight.value, bias: bias.value, epsilon: epsilon, into: y, mean: statistics.mean,
            variance: statistics.variance)
    }

    /// dx from dy, plus `residual`, either of which it may be; the gradients of weight and bias are added to.
    package func backward(
        _ dy: Tensor, x: Tensor, statistics: Statistics, residual: Tensor? = nil, dx: Tensor, engine: any Engine
    ) {
        guard let dWeight = weight.gradient, let dBias = bias.gradient else {
            preconditionFailure("LayerNorm.backward: the layer is not trained")
        }
        engine.layerNormBackward(
            dy, x: x, weight: weight.value, epsilon: epsilon, mean: statistics.mean, variance: statistics.variance,
            residual: residual, dx: dx, dWeight: dWeight, dBias: dBias)
    }
}
