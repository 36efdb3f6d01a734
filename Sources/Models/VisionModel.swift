import Compute
import Layers

/// A model that turns images into tokens, and tokens into logits or features: what every family builds.
package protocol VisionModel: Sendable {
    /// The number of heads that give logits: 0 without classes, 2 with a distillation token.
    var headCount: Int { get }

    /// The numbers that an image's forward pass keeps for the backward pass.
    ///
    /// - Parameter keptCount: the patches of an image that become tokens; nil: all.
    func activationCount(keptCount: Int?) -> Int

    /// Plans a pass.
    func pass(_ plan: VisionPassPlan, in workspace: Workspace) -> any VisionPass
}

/// What a pass is for.
package struct VisionPassPlan: Sendable {
    /// What is read of the tokens.
    package enum Reading: Sendable, Hashable {
        /// The logits of each head.
        case logits
        /// Features of one kind.
        case features(FeaturePooling)
        /// All tokens, block by block.
        case blocks
    }

    package var imageCount: Int
    package var reading: Reading
    /// The patches of an image that become tokens; nil: all.
    package var keptCount: Int?

    package init(imageCount: Int, reading: Reading, keptCount: Int? = nil) {
        self.imageCount = imageCount
        self.reading = reading
        self.keptCount = keptCount
    }
}

/// A vision model with the memory that it works in.
package protocol VisionPass: Sendable {
    /// Images (B, C, height, width), normalized as the checkpoint asks, through embedding and blocks, and what was planned
    /// is read of the tokens.
    ///
    /// - Parameters:
    ///   - kept: the numbers of the patches (B, K) that become tokens, where not all do.
    ///   - paths: the residual branches that are dropped.
    func forward(_ images: Tensor, kept: [Int32]?, paths: DropPath?)

    /// The logits (B, classes) of each head after `forward`.
    var logits: [Tensor] { get }

    /// The features after `forward`: (B, D), (B, 2·D) or (B, L, D).
    var features: Tensor { get }

    /// Adds the gradients of all that is trained, from those of the logits, which have taken the logits' place.
    func backward(paths: DropPath?)

    /// Images through the first `count` blocks; `body` gets each block's number, counted from 1, its tokens (B, N, D), and
    /// a function that writes the weights (B, H, N, N) with which its tokens attended to each other.
    func forEachBlock(
        _ images: Tensor, through count: Int,
        _ body: (_ block: Int, _ tokens: Tensor, _ weights: (Tensor) -> Bool) -> Void
    )
}

extension PoolingPass {
    /// The vectors of one kind that stand for images, from their tokens (B, N, D); `part` (B, D) is memory to work in.
    func read(
        _ kind: FeaturePooling, of tokens: Tensor, prefixCount: Int, part: Tensor, engine: any Engine,
        into features: Tensor
    ) {
        switch kind {
        case .classToken: forward(tokens, .token(0), into: features)
        case .meanPatches: forward(tokens, .meanOfPatches, into: features)
        case .classTokenAndMean:
            // (B, 2·D) as two tokens an image.
            let both = features.reshaped([part.shape[0], 2, part.shape[1]])
            for (index, reading) in [Pooling.Reading.token(0), .meanOfPatches].enumerated() {
                forward(tokens, reading, into: part)
                engine.setTokens(index..<index + 1, of: both, to: part)
            }
        case .patches: engine.copyTokens(prefixCount..<tokens.shape[1], of: self.tokens(tokens), into: features)
        case .attention: forward(tokens, .attention, into: features)
        case .projection: preconditionFailure("PoolingPass.read: a projection is the model's own")
        }
    }
}

/// Which vectors stand for an image.
public enum FeaturePooling: String, Sendable, Hashable, CaseIterable {
    /// The class token (D).
    case classToken = "cls"
    /// The mean of the patch tokens (D); class, distillation and register tokens left out.
    case meanPatches = "mean"
    /// The class token, then the mean (2·D).
    case classTokenAndMean = "cls+mean"
    /// Every patch token (L, D).
    case patches
    /// What a trained query attends to (D), as SigLIP has it.
    case attention = "map"
    /// What is compared with texts: a projection of what is pooled, as CLIP has it.
    case projection

    /// Whether the class token is read.
    public var readsClassToken: Bool { self == .classToken || self == .classTokenAndMean }
}
