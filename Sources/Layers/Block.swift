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
        norm1.forward(x, statistics: cache.statistics1, engine: engine, into: cache.normed)
        qkv.forward(cache.normed, engine: engine, into: cache.qkv)
        engine.attention(cache.qkv, heads: shape.heads, into: cache.mixed)
        finish(x, into: cache, engine: engine)
    }

    /// The same for the first tokens of each image alone, as many as `leading` has room for, into `leading.output`; all
    /// tokens of x (B, N, D) are attended to. For the last block, of which nothing else is read.
    package func forwardLeading(
        _ x: Tensor, into cache: BlockActivations, leading: BlockActivations, engine: any Engine
    ) {
        norm1.forward(x, statistics: cache.statistics1, engine: engine, into: cache.normed)
        qkv.forward(cache.normed, engine: engine, into: cache.qkv)
        engine.attention(cache.qkv, heads: shape.heads, into: leading.mixed)
        engine.leadingTokens(of: x, into: leading.output)
        finish(leading.output, into: leading, engine: engine)
    }

    /// What follows attention: the residual `x`, and the MLP.
    private func finish(_ x: Tensor, into cache: BlockActivations, engine: any Engine) {
        projection.forward(
            cache.mixed, epilogue: LinearEpilogue(columnScale: scale1?.value, residual: x), engine: engine,
            into: cache.middle)
        norm2.forward(cache.middle, statistics: cache.statistics2, engine: engine, into: cache.normed)
        if let preActivation = cache.preActivation {
            fc1.forward(cache.normed, engine: engine, into: preActivation)
            engine.activate(preActivation, shape.activation, into: cache.hidden)
        } else {
            fc1.forward(
                cache.normed, epilogue: LinearEpilogue(activation: shape.activation), engine: engine,
                into: cache.hidden)
        }
        fc2.forward(
            cache.hidden, epilogue: LinearEpilogue(columnScale: scale2?.value, residual: cache.middle), engine: engine,
            into: cache.output)
    }
}
