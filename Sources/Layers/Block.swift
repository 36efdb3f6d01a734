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

    /// x (B, N, D) to `cache.output`; `paths` drops residual branches of some images.
    package func forward(
        _ x: Tensor, into cache: BlockActivations, paths: PathScales? = nil, engine: any Engine
    ) {
        norm1.forward(x, statistics: cache.statistics1, engine: engine, into: cache.normed)
        qkv.forward(cache.normed, engine: engine, into: cache.qkv)
        engine.attention(cache.qkv, heads: shape.heads, into: cache.mixed)
        finish(x, into: cache, paths: paths, engine: engine)
    }

    /// The same for the first tokens of each image alone, as many as `leading` has room for, into `leading.output`; all
    /// tokens of x (B, N, D) are attended to. For the last block, of which nothing else is read.
    package func forwardLeading(
        _ x: Tensor, into cache: BlockActivations, leading: BlockActivations, paths: PathScales? = nil,
        engine: any Engine
    ) {
        norm1.forward(x, statistics: cache.statistics1, engine: engine, into: cache.normed)
        if leading.preActivation == nil {
            engine.leadingAttention(
                cache.normed, qkv.weights, bias: qkv.bias?.value, heads: shape.heads, workspace: cache.qkv,
                into: leading.mixed)
        } else {
            // The way back reads keys and values.
            qkv.forward(cache.normed, engine: engine, into: cache.qkv)
            engine.attention(cache.qkv, heads: shape.heads, into: leading.mixed)
        }
        engine.leadingTokens(of: x, into: leading.output)
        finish(leading.output, into: leading, paths: paths, engine: engine)
    }

    /// What follows attention: the residual `x`, and the MLP.
    private func finish(_ x: Tensor, into cache: BlockActivations, paths: PathScales?, engine: any Engine) {
        add(
            scale: scale1, branch: cache.branch1, paths: paths?.attention, to: x, engine: engine, into: cache.middle
        ) { epilogue, y in
            projection.forward(cache.mixed, epilogue: epilogue, engine: engine, into: y)
        }
        norm2.forward(cache.middle, statistics: cache.statistics2, engine: engine, into: cache.normed)
        let layers = MLPLayers(
            first: fc1.weights, firstBias: fc1.bias?.value, activation: shape.activation, second: fc2.weights,
            secondBias: fc2.bias?.value)
        add(
            scale: scale2, branch: cache.branch2, paths: paths?.mlp, to: cache.middle, engine: engine,
            into: cache.output
        ) { epilogue, y in
            engine.mlp(
                cache.normed, layers, preActivation: cache.preActivation, hidden: cache.hidden, epilogue: epilogue,
                into: y)
        }
    }

    /// y = x + paths · scale · branch. In one pass where the backward pass does not want the branch by itself.
    private func add(
        scale: Parameter?, branch: Tensor?, paths: Tensor?, to x: Tensor, engine: any Engine, into y: Tensor,
        compute: (LinearEpilogue, Tensor) -> Void
    ) {
        if let branch, scale != nil || paths != nil {
            compute(LinearEpilogue(), branch)
            engine.addBranch(branch, columnScale: scale?.value, imageScale: paths, to: x, into: y)
        } else {
            compute(LinearEpilogue(columnScale: scale?.value, residual: x), y)
        }
    }
}

/// What the residual branches of a block are multiplied by, a number an image (B): 0 where the path is dropped.
///
/// Stochastic depth (Huang et al. 2016), as timm has it: the paths that stay are scaled by 1 / (1 − rate).
package struct PathScales: Sendable {
    package let attention: Tensor
    package let mlp: Tensor

    package init(attention: Tensor, mlp: Tensor) {
        self.attention = attention
        self.mlp = mlp
    }
}
