import Compute

/// A linear layer: y = x · Wᵀ + b.
package struct Linear: Sendable {
    /// The weight (outputs, inputs) while it is being trained; a model that is only used keeps the packed copy alone.
    package let weight: Parameter?
    package let bias: Parameter?
    package let weights: LinearWeights

    package var outputs: Int { weights.outputs }
    package var inputs: Int { weights.inputs }

    /// Takes `name.weight`, flattened to a matrix, and `name.bias`.
    package init(_ name: String, bias hasBias: Bool = true, from source: some ParameterSource, engine: any Engine)
        throws
    {
        let parameter = try source.parameter("\(name).weight").asMatrix
        bias = hasBias ? try source.parameter("\(name).bias") : nil
        if parameter.gradient == nil {
            weight = nil
            weights = engine.pack(parameter.value)
            source.didPack("\(name).weight")
        } else {
            weight = parameter
            weights = LinearWeights(inPlace: parameter.value)
        }
    }

    /// x (…, inputs) to y (…, outputs).
    package func forward(_ x: Tensor, epilogue: LinearEpilogue = LinearEpilogue(), engine: any Engine, into y: Tensor) {
        engine.linear(x, weights, bias: bias?.value, epilogue: epilogue, into: y)
    }
}
