import Compute

/// Tokens to one vector an image: one token, the mean of the patches, with the final norm before or after it, or what a trained
/// query attends to.
package struct Pooling: Sendable {
    /// The final norm; nil: the tokens are read as they are.
    package let norm: LayerNorm?
    /// Whether the norm acts on every token before patches are averaged, rather than on their mean.
    package let normsTokens: Bool
    /// The number of tokens before the patches.
    package let prefixCount: Int
    /// Attention over the patches, where the model pools so.
    package let attention: AttentionPooling?

    package init(norm: LayerNorm?, normsTokens: Bool, prefixCount: Int, attention: AttentionPooling? = nil) {
        self.norm = norm
        self.normsTokens = normsTokens
        self.prefixCount = prefixCount
        self.attention = attention
    }

    /// What is read of an image.
    package enum Reading: Sendable, Hashable {
        /// One of the first tokens.
        case token(Int)
        /// The mean of the patches.
        case meanOfPatches
        /// What attention makes of the patches.
        case attention
    }
}

/// A pooling with the memory that it works in.
package struct PoolingPass: Sendable {
    private let layer: Pooling
    private let engine: any Engine
    /// (B, D), before a norm that follows.
    private let selected: Tensor
    private let statistics: LayerNorm.Statistics
    /// All tokens (B, N, D) after the norm.
    private let normed: Tensor
    private let tokenStatistics: LayerNorm.Statistics
    private let attention: AttentionPoolingPass?
    /// The patches (B, L, D) among normed tokens, and in the backward pass their gradients.
    private let patches: Tensor

    package init(_ layer: Pooling, over tokens: TokenShape, in workspace: Workspace) {
        self.layer = layer
        engine = workspace.engine
        selected = workspace.tensor([tokens.imageCount, tokens.width])
        statistics = LayerNorm.statistics(tokens.imageCount, isKept: false, in: workspace)
        normed = workspace.shared("normed", tokens.shape())
        tokenStatistics = LayerNorm.statistics(tokens.imageCount * tokens.tokenCount, isKept: false, in: workspace)
        var patches = tokens
        patches.tokenCount = max(0, tokens.tokenCount - layer.prefixCount)
        attention = layer.attention.map { AttentionPoolingPass($0, over: patches, in: workspace) }
        self.patches = workspace.tensor(layer.attention == nil || layer.prefixCount == 0 ? [0] : patches.shape())
    }

    /// `reading` of the tokens x (B, N, D), or of the first of them, to y (B, D).
    package func forward(_ x: Tensor, _ reading: Pooling.Reading, into y: Tensor) {
        switch reading {
        case .token(let index):
            // The norm acts on each token by itself: a token may be taken out before it.
            engine.copyTokens(index..<index + 1, of: x, into: layer.norm == nil ? y : selected)
            layer.norm?.forward(selected, statistics: statistics, engine: engine, into: y)
        case .meanOfPatches where layer.normsTokens || layer.norm == nil:
            engine.meanTokens(from: layer.prefixCount, of: tokens(x), into: y)
        case .meanOfPatches:
            engine.meanTokens(from: layer.prefixCount, of: x, into: selected)
            layer.norm?.forward(selected, statistics: statistics, engine: engine, into: y)
        case .attention:
            guard let attention else { preconditionFailure("Pooling: the model has no attention pooling") }
            attention.forward(normedPatches(x), into: y)
        }
    }

    /// The patches (B, L, D) of the tokens x as they are read.
    private func normedPatches(_ x: Tensor) -> Tensor {
        let tokens = tokens(x)
        guard layer.prefixCount > 0 else { return tokens }
        engine.copyTokens(layer.prefixCount..<x.shape[1], of: tokens, into: patches)
        return patches
    }

    /// All tokens (B, N, D) as they are read: through the norm, unless that follows pooling.
    package func tokens(_ x: Tensor) -> Tensor {
        guard let norm = layer.norm, layer.normsTokens else { return x }
        norm.forward(x, statistics: tokenStatistics, engine: engine, into: normed)
        return normed
    }

    /// The gradient dx of the tokens x from dy (B, D): assigned, but for single tokens, which are set one by one in a dx that
    /// is zero before.
    package func backward(_ dy: Tensor, x: Tensor, _ reading: Pooling.Reading, dx: Tensor) {
        guard let norm = layer.norm else {
            backwardWithoutNorm(dy, reading, dx: dx)
            return
        }
        switch reading {
        case .token(let index):
            norm.backward(dy, x: selected, statistics: statistics, dx: selected, engine: engine)
            engine.setTokens(index..<index + 1, of: dx, to: selected)
        case .meanOfPatches where layer.normsTokens:
            engine.meanTokensBackward(dy, from: layer.prefixCount, dx: dx)
            norm.backward(dx, x: x, statistics: tokenStatistics, dx: dx, engine: engine)
        case .meanOfPatches:
            norm.backward(dy, x: selected, statistics: statistics, dx: selected, engine: engine)
            engine.meanTokensBackward(selected, from: layer.prefixCount, dx: dx)
        case .attention:
            guard let attention else { preconditionFailure("Pooling: the model has no attention pooling") }
            if layer.prefixCount == 0 {
                attention.backward(dy, input: { normedPatches(x) }, dx: dx)
            } else {
                attention.backward(dy, input: { normedPatches(x) }, dx: patches)
                engine.zero(dx)
                engine.setTokens(layer.prefixCount..<dx.shape[1], of: dx, to: patches)
            }
            norm.backward(dx, x: x, statistics: tokenStatistics, dx: dx, engine: engine)
        }
    }

    private func backwardWithoutNorm(_ dy: Tensor, _ reading: Pooling.Reading, dx: Tensor) {
        guard reading == .meanOfPatches else {
            preconditionFailure("Pooling.backward: without a norm, the mean of patches alone can be trained")
        }
        engine.meanTokensBackward(dy, from: layer.prefixCount, dx: dx)
    }
}
