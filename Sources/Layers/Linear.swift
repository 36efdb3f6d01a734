import Compute

/// A linear layer: y = x · Wᵀ + b.
package struct Linear: Sendable {
    package let weights: any LinearWeights
    /// The gradient of the weight (outputs, inputs); nil where the layer is not trained.
    package let dWeight: Tensor?
    package let bias: Parameter?

    package var outputs: Int { weights.outputs }
    package var inputs: Int { weights.inputs }

    /// x (…, inputs) to y (…, outputs).
    package func forward(_ x: Tensor, epilogue: LinearEpilogue = LinearEpilogue(), engine: any Engine, into y: Tensor) {
        engine.linear(x, weights, bias: bias?.value, epilogue: epilogue, into: y)
    }

    /// dx, which may be x but not dy, from dy; the gradients of weight and bias are added to.
    package func backward(_ dy: Tensor, x: Tensor, dx: Tensor?, engine: any Engine) {
        addGradients(dy, x: x, engine: engine)
        if let dx { inputGradient(dy, dx: dx, engine: engine) }
    }

    /// dx from dy.
    package func inputGradient(_ dy: Tensor, dx: Tensor, engine: any Engine) {
        engine.linearInputGradient(dy, weights, dx: dx)
    }

    /// Adds to the gradients of weight and bias.
    package func addGradients(_ dy: Tensor, x: Tensor, engine: any Engine) {
        guard let dWeight else { preconditionFailure("Linear.backward: the layer is not trained") }
        engine.linearWeightGradient(dy, x: x, weights, dWeight: dWeight, dBias: bias?.gradient)
    }
}
