import Layers
import Support

/// The shape of a model that compares images with texts: a vision tower, a text tower, and how their embeddings become a score
/// (Radford et al. 2021, CLIP; Zhai et al. 2023, SigLIP).
public struct TwoTowerConfiguration: ModelConfiguration, Hashable {
    /// The vision tower; it has no head.
    public var vision: ViTConfiguration
    /// The text tower.
    public var text: TextTowerConfiguration
    /// Whether a bias is added to the scores (SigLIP).
    public var hasLogitBias = false

    /// A model of two towers, whose embeddings have one length.
    public init(vision: ViTConfiguration, text: TextTowerConfiguration) {
        self.vision = vision
        self.vision.classCount = 0
        self.text = text
    }

    /// What makes probabilities of the scores: softmax over the texts (CLIP); sigmoid of each pair where there is a bias, with
    /// which models are trained pair by pair (SigLIP).
    public var scoring: HeadActivation { hasLogitBias ? .sigmoid : .softmax }

    /// The length of an embedding (P), of images and texts alike.
    public var embeddingWidth: Int { text.embeddingWidth }

    /// The names and shapes of all tensors: the vision tower's, the text tower's, then scale and bias of the scores.
    public var parameterShapes: [ParameterShape] {
        vision.parameterShapes + text.parameterShapes
            + [ParameterShape(Self.logitScale, [1])] + (hasLogitBias ? [ParameterShape(Self.logitBias, [1])] : [])
    }

    static let logitScale = "logit_scale"
    static let logitBias = "logit_bias"
}

// Where images alone matter, a model of two towers is its vision tower.
extension TwoTowerConfiguration {
    /// The vision tower.
    public var backbone: any ModelConfiguration { vision }
    /// The size of image that the vision tower takes, in pixels.
    public var imageSize: Size {
        get { vision.imageSize }
        set { vision.imageSize = newValue }
    }
    /// The size of image that the vision tower's table of positions belongs to, where it is not `imageSize`.
    public var positionImageSize: Size? {
        get { vision.positionImageSize }
        set { vision.positionImageSize = newValue }
    }
    /// The classes of a head on the vision tower: 0.
    public var classCount: Int {
        get { vision.classCount }
        set { vision.classCount = newValue }
    }
    /// The size of a patch, in pixels.
    public var patchSize: Size { vision.patchSize }
    /// Color channels of the input.
    public var inputChannels: Int { vision.inputChannels }
    /// The length of the vision tower's tokens.
    public var width: Int { vision.width }
    /// The number of the vision tower's blocks.
    public var depth: Int { vision.depth }
    /// Attention heads of the vision tower's blocks.
    public var heads: Int { vision.heads }
    /// Whether the vision tower has a class token.
    public var hasClassToken: Bool { vision.hasClassToken }
    /// The tokens before the patches.
    public var prefixCount: Int { vision.prefixCount }
    /// What is compared with texts, as features of the vision tower.
    public var headPooling: FeaturePooling { vision.headPooling }
    /// Whether attention makes one vector of the vision tower's tokens.
    public var hasAttentionPooling: Bool { vision.hasAttentionPooling }
    /// The length of the vision tower's projection; 0: there is none.
    public var projectionWidth: Int { vision.projectionWidth }
    /// Whether the positions are a fixed table.
    public var hasFixedPositions: Bool { vision.hasFixedPositions }
    /// The vision tower, to be trained with a head.
    public var trainable: any ModelConfiguration { vision.trainable }
    /// Builds the vision tower.
    public var maker: ModelMaker { vision.maker }
    /// Floating-point operations of the vision tower's forward pass of one image.
    public var operationCount: Double { vision.operationCount }
}
