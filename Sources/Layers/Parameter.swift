import Compute

/// A trained tensor and, while it is being trained, the place where its gradient is summed.
public struct Parameter: Sendable {
    /// The weights.
    public let value: Tensor
    /// The gradient, of the same shape; nil where the parameter is only used.
    public let gradient: Tensor?

    package init(value: Tensor, gradient: Tensor? = nil) {
        self.value = value
        self.gradient = gradient
    }

    /// The same as a matrix: the first dimension, and all others in one.
    package var asMatrix: Parameter { matrix(rows: value.shape[0]) }

    /// The same as a matrix with so many rows.
    package func matrix(rows rowCount: Int) -> Parameter {
        let shape = [rowCount, value.count / max(rowCount, 1)]
        return Parameter(value: value.reshaped(shape), gradient: gradient?.reshaped(shape))
    }
}

/// Where layers get their parameters from: an arena that is being trained, or a mapped checkpoint.
package protocol ParameterSource {
    /// The parameter under timm's `name`.
    func parameter(_ name: String) throws -> Parameter
    /// Says that the numbers were copied into packed weights and will not be read again.
    func didPack(_ name: String)
}
