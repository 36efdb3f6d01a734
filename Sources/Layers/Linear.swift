import Compute

/// A linear layer: y = x · Wᵀ + b.
package struct Linear: Sendable {
    /// The weight (outputs, inputs) while it is being trained; a model that is only used keeps the packed copy alone.
    package let weight: Parameter?
    package let bias: Parameter?
    package let packed: PackedWeights

    package var outputs: Int { packed.outputs }
    package var inputs: Int { packed.inputs }

    /// Takes `name.weight`, flattened to a matrix, and `name.bias`.
    package init(_ name: String, bias hasBias: Bool = true, from source: some ParameterSource, engine: any Engine)
        throws
    {
        let parameter = try source.parameter("\(name).weight")
        let shape = [parameter.value.shape[0], parameter.value.count / max(parameter.value.shape[0], 1)]
        packed = engine.pack(parameter.value.reshaped(shape))
        bias = hasBias ? try source.parameter("\(name).bias") : nil
        if parameter.gradient == nil {
            weight = nil
            source.didPack(parameter)
        } else {
            weight = parameter
        }
    }

    /// x (…, inputs) to y (…, outputs).
    package func forward(_ x: Tensor, epilogue: LinearEpilogue = LinearEpilogue(), engine: any Engine, into y: Tensor) {
        engine.linear(x, packed, bias: bias?.value, epilogue: epilogue, into: y)
    }
}
