import Support

/// The shape of a masked autoencoder and of its task.
public struct MAEConfiguration: ModelConfiguration, Hashable {
    /// What the decoder is to produce for each removed patch.
    public enum Target: String, Sendable, Hashable, Codable, CaseIterable {
        /// The pixels of the patch less their mean, divided by their deviation (MAE's default).
        case normalized
        /// The pixels as the model takes them.
        case pixels
        /// The mean colour of the patch (Dosovitskiy et al. 2021, appendix B.1.2).
        case mean
        /// The patch at a quarter of its size each way (the same).
        case downsampled

        /// Whether it is every pixel, which an image can be made of.
        package var isPixels: Bool { self == .normalized || self == .pixels }
    }

    /// The encoder; it has no head.
    public var encoder: ViTConfiguration
    /// The decoder.
    public var decoder: MAEDecoderConfiguration
    /// The share of patches that is removed.
    public var maskRatio = 0.75
    /// What is to be produced.
    public var target = Target.normalized

    /// The paper's task for an encoder and a decoder.
    public init(encoder: ViTConfiguration, decoder: MAEDecoderConfiguration = MAEDecoderConfiguration()) {
        self.encoder = encoder
        self.encoder.classCount = 0
        self.decoder = decoder
    }

    /// Patches that the encoder sees (K).
    public var keptCount: Int { PatchMask.keptCount(of: encoder.patchCount, maskRatio: maskRatio) }

    /// The names and shapes of all tensors, the two fixed position tables included.
    public var parameterShapes: [ParameterShape] {
        encoder.parameterShapes
            + decoder.parameterShapes(encoder: encoder).map { parameter in
                // What the decoder gives for a patch need not be its pixels.
                guard parameter.name.hasPrefix("decoder_pred.") else { return parameter }
                return ParameterShape(parameter.name, [targetLength] + parameter.shape.dropFirst())
            }
    }

    /// Those of them that are trained.
    package var trainedShapes: [ParameterShape] {
        parameterShapes.filter { !Self.fixedTables.contains($0.name) }
    }

    /// The names of the tables that are not trained.
    package static let fixedTables: Set<String> = ["pos_embed", "decoder_pos_embed"]
}

// Where it is used and not trained, a masked autoencoder is its encoder.
extension MAEConfiguration {
    /// The encoder.
    public var backbone: any ModelConfiguration { encoder }
    /// The size of image that the encoder takes, in pixels.
    public var imageSize: Size {
        get { encoder.imageSize }
        set { encoder.imageSize = newValue }
    }
    /// The size of image that the encoder's table of positions belongs to, where it is not `imageSize`.
    public var positionImageSize: Size? {
        get { encoder.positionImageSize }
        set { encoder.positionImageSize = newValue }
    }
    /// The classes of a head on the encoder; usually 0.
    public var classCount: Int {
        get { encoder.classCount }
        set { encoder.classCount = newValue }
    }
    /// The size of a patch, in pixels.
    public var patchSize: Size { encoder.patchSize }
    /// Color channels of the input.
    public var inputChannels: Int { encoder.inputChannels }
    /// The length of the encoder's tokens.
    public var width: Int { encoder.width }
    /// The number of the encoder's blocks.
    public var depth: Int { encoder.depth }
    /// Attention heads of the encoder's blocks.
    public var heads: Int { encoder.heads }
    /// Whether there is a class token.
    public var hasClassToken: Bool { encoder.hasClassToken }
    /// The tokens before the patches.
    public var prefixCount: Int { encoder.prefixCount }
    /// What a head on the encoder sees, as features.
    public var headPooling: FeaturePooling { encoder.headPooling }
    /// True: the positions are not trained.
    public var hasFixedPositions: Bool { true }
    /// Builds the encoder.
    public var maker: ModelMaker { encoder.maker }
}
