import Compute

/// A layer between a norm and a residual sum: attention of some kind, or a feed-forward network.
package protocol TokenLayer: Sendable {
    /// The numbers that an image's forward pass keeps for each token.
    var activationsPerToken: Int { get }

    /// Plans a pass over tokens (B, N, D) that gives results for the first `queryCount` of them.
    func pass(over tokens: TokenShape, queryCount: Int, in workspace: Workspace) -> any TokenLayerPass
}

/// A token layer with the memory that it works in.
package protocol TokenLayerPass: Sendable {
    /// x (B, N, D) to y (B, queryCount, D), through `epilogue`.
    func forward(_ x: Tensor, epilogue: LinearEpilogue, into y: Tensor)

    /// dx (B, N, D) from dy (B, queryCount, D); the gradients of the layer's parameters are added to.
    ///
    /// - Parameter input: computes the input x of the forward pass again. That may overwrite dy, which is therefore read
    ///   before.
    func backward(_ dy: Tensor, input: () -> Tensor, dx: Tensor)

    /// Writes the weights (B, H, N, N) of the last forward pass with which tokens attend to each other.
    ///
    /// - Returns: whether the layer has any.
    func attentionWeights(into weights: Tensor) -> Bool
}

extension TokenLayerPass {
    package func attentionWeights(into weights: Tensor) -> Bool { false }
}

/// The tokens of a batch.
package struct TokenShape: Sendable, Hashable {
    package var imageCount: Int
    package var tokenCount: Int
    package var width: Int

    package init(imageCount: Int, tokenCount: Int, width: Int) {
        self.imageCount = imageCount
        self.tokenCount = tokenCount
        self.width = width
    }

    /// Of x (B, N, D).
    package init(of x: Tensor) { self.init(imageCount: x.shape[0], tokenCount: x.shape[1], width: x.shape[2]) }

    /// (B, N, D), or with other counts of tokens and numbers a token.
    package func shape(tokens: Int? = nil, width: Int? = nil) -> [Int] {
        [imageCount, tokens ?? tokenCount, width ?? self.width]
    }
}
