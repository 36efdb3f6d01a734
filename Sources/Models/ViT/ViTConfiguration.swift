import Compute
import Layers
import Support

/// The shape of a Vision Transformer: one description for the whole family (ViT, DeiT, DeiT III, MAE, DINOv2, and the vision
/// towers of CLIP and SigLIP).
///
/// Sources: Dosovitskiy et al. 2021 (ViT), table 1; Touvron et al. 2021 (DeiT) and 2022 (DeiT III); He et al. 2022
/// (MAE); Oquab et al. 2024 (DINOv2); Darcet et al. 2024 (registers); Radford et al. 2021 (CLIP); Zhai et al. 2023 (SigLIP).
public struct ViTConfiguration: ModelConfiguration, Hashable {
    /// What the head sees.
    public enum Pooling: String, Sendable, Hashable, Codable {
        /// The class token (with a distillation token: both, each through its own head, averaged).
        case classToken = "token"
        /// The mean of the patch tokens; class token and registers left out.
        case meanPatches = "avg"
        /// The class token, then the mean of the patch tokens: twice the width (transformers' DINOv2 classifiers). Used as
        /// it is; training begins with the class token.
        case classTokenAndMean = "token+avg"
        /// What a trained query attends to, of the patch tokens; class token and registers left out (SigLIP).
        case attention = "map"
    }

    /// Where the final norm stands when patches are pooled.
    public enum FinalNorm: String, Sendable, Hashable, Codable {
        /// On every token, before pooling (`norm`).
        case beforePooling = "norm"
        /// On the pooled vector, after pooling (`fc_norm`).
        case afterPooling = "fc_norm"
        /// Nowhere: patches are averaged as they leave the last block (transformers' CLIP classifiers).
        case absent = "none"
    }

    /// Where the positions come from.
    public enum Positions: String, Sendable, Hashable, Codable {
        /// A trained table, stored in the checkpoint.
        case learned
        /// The fixed 2-D sine-cosine table of MAE, computed when the checkpoint holds none.
        case sinCos = "sincos"
    }

    /// The size of the image the model takes, in pixels.
    public var imageSize = Size(square: 224)
    /// The size of a patch, in pixels.
    public var patchSize = Size(square: 16)
    /// Color channels of the input, 1 to 4.
    public var inputChannels = 3
    /// The length of a token (D).
    public var width = 768
    /// The number of encoder blocks.
    public var depth = 12
    /// Attention heads a block; divides `width`.
    public var heads = 12
    /// The length of the MLP's hidden layer; 4 · width in the papers.
    public var hiddenWidth = 3072
    /// Whether the projection of the patches has a bias (CLIP: no).
    public var patchBias = true
    /// Whether all tokens go through a norm before the first block (CLIP).
    public var hasPreNorm = false
    /// Whether the projections to queries, keys and values have a bias.
    public var qkvBias = true
    /// Added to the variance in every LayerNorm: 1e-6 in timm and MAE, 1e-12 in transformers' default.
    public var layerNormEpsilon: Float = 1e-6
    /// The MLP's activation.
    public var activation = Activation.gelu
    /// What the head sees.
    public var pooling = Pooling.classToken
    /// Where the final norm stands.
    public var finalNorm = FinalNorm.beforePooling
    /// Whether there is a class token.
    public var hasClassToken = true
    /// Whether there is a distillation token with a head of its own (DeiT).
    public var hasDistillationToken = false
    /// Register tokens between the class token and the patches (DINOv2 with registers).
    public var registerCount = 0
    /// Whether class and distillation token have rows in the position table (DeiT III and timm's DINOv2 with
    /// registers: no). Registers never have.
    public var prefixHasPosition = true
    /// Whether each residual branch is scaled by a trained vector (DeiT III, DINOv2).
    public var hasLayerScale = false
    /// Where the positions come from.
    public var positions = Positions.learned
    /// How positions are fitted to another grid.
    public var positionInterpolation = PositionInterpolation.timm
    /// The size of image the stored position table belongs to, where it is not `imageSize`.
    public var positionImageSize: Size?
    /// The numbers that a projection without a bias makes of what the head would see, to be compared with texts (CLIP); 0:
    /// there is none. It is used as it is; training leaves it out.
    public var projectionWidth = 0
    /// The number of classes; 0 is a model without a head.
    public var classCount = 1000

    /// ViT-Base/16 at 224 pixels; change what differs.
    public init() {}
}

extension ViTConfiguration {
    /// Class, distillation and register tokens before the patches.
    public var prefixCount: Int { (hasClassToken ? 1 : 0) + (hasDistillationToken ? 1 : 0) + registerCount }

    /// The length of a head.
    public var headWidth: Int { width / heads }

    /// What the head sees, as features; without a head, what is compared with texts, where there is a projection for that.
    public var headPooling: FeaturePooling {
        if classCount == 0, projectionWidth > 0 { return .projection }
        return switch pooling {
        case .classToken: .classToken
        case .meanPatches: .meanPatches
        case .classTokenAndMean: .classTokenAndMean
        case .attention: .attention
        }
    }

    /// Where the norm stands of a model that is made to read the mean of its patches: after it, as in MAE, but with the
    /// towers of CLIP and SigLIP as in transformers' classifiers, which then hold the model.
    package var normOfMean: FinalNorm {
        if hasPreNorm, !patchBias { return .absent }
        return hasClassToken ? .afterPooling : .beforePooling
    }

    /// Whether attention makes one vector of the tokens.
    public var hasAttentionPooling: Bool { pooling == .attention }

    /// The epsilon of timm's models of this kind: PyTorch's in CLIP's towers.
    var timmEpsilon: Float { hasPreNorm ? 1e-5 : 1e-6 }

    /// The numbers that a head reads of an image.
    package var pooledWidth: Int { pooling == .classTokenAndMean ? 2 * width : width }

    /// Whether the positions are MAE's table.
    public var hasFixedPositions: Bool { positions == .sinCos }

    /// The shape that training begins with: without a head, and with trained positions for the model's own images.
    public var trainable: any ModelConfiguration {
        var model = self
        let hasOtherPooling = pooling == .attention || !hasClassToken
        if !hasOtherPooling, classCount == 0 || pooling == .classTokenAndMean {
            (model.pooling, model.finalNorm) = (.classToken, .beforePooling)
        }
        (model.classCount, model.projectionWidth, model.positionImageSize) = (0, 0, nil)
        (model.positions, model.positionInterpolation) = (.learned, .timm)
        return model
    }

    /// Builds a `VisionTransformer`.
    public var maker: ModelMaker { ModelMaker { try VisionTransformer(self, $0, $1) } }
}
