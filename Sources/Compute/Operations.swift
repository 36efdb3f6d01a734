/// What a linear layer does to its result before it is written: `residual + columnScale · (x·Wᵀ + bias)`.
package struct LinearEpilogue: Sendable {
    /// Multiplies each column (layer scale); as long as a row of the result.
    package var columnScale: Tensor?
    /// Added last; of the shape of the result.
    package var residual: Tensor?

    /// Nothing but the bias where both are left out.
    package init(columnScale: Tensor? = nil, residual: Tensor? = nil) {
        self.columnScale = columnScale
        self.residual = residual
    }
}

/// The non-linear functions between two linear layers.
public enum Activation: String, Sendable, Hashable, Codable {
    /// The exact GELU, x · Φ(x), with the error function (Hendrycks and Gimpel 2016).
    case gelu
    /// The GELU approximated with tanh.
    case geluTanh = "gelu_tanh"
    /// The GELU approximated with a logistic function, x / (1 + exp(−1.702 x)), as CLIP has it.
    case quickGELU = "quick_gelu"
}

/// A linear layer's weight as an engine keeps it; only the engine that made it looks inside.
package protocol LinearWeights: AnyObject, Sendable {
    /// The length of an input row (K).
    var inputs: Int { get }
    /// The length of an output row (M).
    var outputs: Int { get }
    /// The type in which the layer's results, and what is kept of them for a backward pass, lose nothing that the products of
    /// this precision would not.
    var activationType: ElementType { get }
}

/// The two layers of an MLP and the activation between them.
package struct MLPLayers: Sendable {
    package let first: any LinearWeights
    package let firstBias: Tensor?
    package let activation: Activation
    package let second: any LinearWeights
    package let secondBias: Tensor?

    package init(
        first: any LinearWeights, firstBias: Tensor?, activation: Activation, second: any LinearWeights,
        secondBias: Tensor?
    ) {
        self.first = first
        self.firstBias = firstBias
        self.activation = activation
        self.second = second
        self.secondBias = secondBias
    }
}
