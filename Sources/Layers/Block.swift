import Compute

/// The sizes that every block of an encoder shares.
package struct BlockShape: Sendable {
    package var width: Int
    package var heads: Int
    package var hiddenWidth: Int
    package var qkvBias: Bool
    package var epsilon: Float
    package var activation: Activation
    package var hasLayerScale: Bool

    package init(
        width: Int, heads: Int, hiddenWidth: Int, qkvBias: Bool, epsilon: Float, activation: Activation,
        hasLayerScale: Bool
    ) {
        self.width = width
        self.heads = heads
        self.hiddenWidth = hiddenWidth
        self.qkvBias = qkvBias
        self.epsilon = epsilon
        self.activation = activation
        self.hasLayerScale = hasLayerScale
    }
}

/// A pre-norm encoder block: x + attention(norm(x)), then x + mlp(norm(x)).
///
/// Dosovitskiy et al. 2021, equations 2 and 3; the vectors `scale1` and `scale2` are LayerScale (Touvron et al. 2021).
package struct Block: Sendable {
    package let shape: BlockShape
    package let norm1: LayerNorm
    package let qkv: Linear
    package let projection: Linear
    package let scale1: Parameter?
    package let norm2: LayerNorm
    package let fc1: Linear
    package let fc2: Linear
    package let scale2: Parameter?

    /// Takes the parameters whose names begin with `name`.
    package init(_ name: String, _ shape: BlockShape, from source: some ParameterSource, engine: any Engine) throws {
        self.shape = shape
        norm1 = try LayerNorm("\(name).norm1", epsilon: shape.epsilon, from: source)
        qkv = try Linear("\(name).attn.qkv", bias: shape.qkvBias, from: source, engine: engine)
        projection = try Linear("\(name).attn.proj", from: source, engine: engine)
        scale1 = shape.hasLayerScale ? try source.parameter("\(name).ls1.gamma") : nil
        norm2 = try LayerNorm("\(name).norm2", epsilon: shape.epsilon, from: source)
        fc1 = try Linear("\(name).mlp.fc1", from: source, engine: engine)
        fc2 = try Linear("\(name).mlp.fc2", from: source, engine: engine)
        scale2 = shape.hasLayerScale ? try source.parameter("\(name).ls2.gamma") : nil
    }

    /// x (B, N, D) to `cache.output`.
    package func forward(_ x: Tensor, into cache: BlockActivations, engine: any Engine) {
        norm1.forward(x, statistics: cache.statistics1, engine: engine, into: cache.normed1)
        qkv.forward(cache.normed1, engine: engine, into: cache.qkv)
        engine.attention(cache.qkv, heads: shape.heads, into: cache.mixed)
        projection.forward(
            cache.mixed, epilogue: LinearEpilogue(columnScale: scale1?.value, residual: x), engine: engine,
            into: cache.middle)
        norm2.forward(cache.middle, statistics: cache.statistics2, engine: engine, into: cache.normed2)
        fc1.forward(
            cache.normed2, epilogue: LinearEpilogue(activation: shape.activation), engine: engine, into: cache.hidden)
        fc2.forward(
            cache.hidden, epilogue: LinearEpilogue(columnScale: scale2?.value, residual: cache.middle), engine: engine,
            into: cache.output)
    }
}

/// The intermediate results of a block, planned before it runs.
package struct BlockActivations: Sendable {
    package let normed1: Tensor
    package let statistics1: NormStatistics
    package let qkv: Tensor
    package let mixed: Tensor
    package let middle: Tensor
    package let normed2: Tensor
    package let statistics2: NormStatistics
    package let hidden: Tensor
    package let output: Tensor

    /// Room for one block at a time: nothing is kept for a backward pass, and the output takes the place of `input`.
    package static func shared(_ shape: BlockShape, input: Tensor) -> BlockActivations {
        let (imageCount, tokenCount) = (input.shape[0], input.shape[1])
        let rowCount = imageCount * tokenCount
        func room(_ width: Int) -> Tensor { Tensor(shape: [imageCount, tokenCount, width]) }
        let normed = room(shape.width)
        let statistics = NormStatistics(rowCount: rowCount)
        return BlockActivations(
            normed1: normed, statistics1: statistics, qkv: room(3 * shape.width), mixed: normed,
            middle: room(shape.width), normed2: normed, statistics2: statistics, hidden: room(shape.hiddenWidth),
            output: input)
    }

    /// The part for the first `count` images.
    package func first(_ count: Int) -> BlockActivations {
        let rowCount = count * normed1.shape[1]
        return BlockActivations(
            normed1: normed1.rows(0..<count), statistics1: statistics1.first(rowCount), qkv: qkv.rows(0..<count),
            mixed: mixed.rows(0..<count), middle: middle.rows(0..<count), normed2: normed2.rows(0..<count),
            statistics2: statistics2.first(rowCount), hidden: hidden.rows(0..<count), output: output.rows(0..<count))
    }
}
