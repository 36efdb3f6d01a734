import Compute

/// What layers are built with: where their parameters come from, and the engine and precision that they compute with.
package struct LayerBuilder {
    package let source: any ParameterSource
    package let engine: any Engine
    package let precision: Precision

    package init(_ source: any ParameterSource, engine: any Engine, precision: Precision = .float32) {
        self.source = source
        self.engine = engine
        self.precision = precision
    }

    /// The same for the layers at both ends, the patch projection and the heads: they take little time, and rounding them costs
    /// the most accuracy.
    package var exact: LayerBuilder { LayerBuilder(source, engine: engine) }

    /// The parameter under timm's `name`.
    package func parameter(_ name: String) throws -> Parameter { try source.parameter(name) }

    /// The linear layer with `name.weight`, flattened to a matrix, and `name.bias`.
    package func linear(_ name: String, bias hasBias: Bool = true) throws -> Linear {
        let weight = try source.parameter("\(name).weight").asMatrix
        let weights = engine.linearWeights(weight.value, precision: precision, changes: weight.gradient != nil)
        if weight.gradient == nil { source.didPack("\(name).weight") }
        return Linear(
            weights: weights, dWeight: weight.gradient, bias: hasBias ? try source.parameter("\(name).bias") : nil)
    }

    /// The norm with `name.weight` and `name.bias`.
    package func layerNorm(_ name: String, epsilon: Float) throws -> LayerNorm {
        LayerNorm(
            weight: try source.parameter("\(name).weight"), bias: try source.parameter("\(name).bias"), epsilon: epsilon
        )
    }
}
