import Layers
import Support

/// The shape of a model of some family: what everything outside the family needs to know of it.
public protocol ModelConfiguration: Sendable {
    /// The size of the images that the model takes, in pixels.
    var imageSize: Size { get set }
    /// The size of image that the stored table of positions belongs to, where it is not `imageSize`.
    var positionImageSize: Size? { get set }
    /// The size of a patch, in pixels.
    var patchSize: Size { get }
    /// Color channels of the input, 1 to 4.
    var inputChannels: Int { get }
    /// The number of classes; 0 is a model without a head.
    var classCount: Int { get set }
    /// The length of a token that comes out of the last block.
    var width: Int { get }
    /// The number of blocks.
    var depth: Int { get }
    /// Attention heads of a block.
    var heads: Int { get }
    /// Whether there is a class token.
    var hasClassToken: Bool { get }
    /// Whether a second token learns from a teacher, with a head of its own (DeiT).
    var hasDistillationToken: Bool { get }
    /// The tokens before the patches.
    var prefixCount: Int { get }

    /// What a head reads of the tokens.
    var headPooling: FeaturePooling { get }
    /// Whether attention makes one vector of the tokens.
    var hasAttentionPooling: Bool { get }
    /// The length of a vector to be compared with texts; 0 where no projection makes any.
    var projectionWidth: Int { get }
    /// Whether the positions are a fixed table, which is not trained.
    var hasFixedPositions: Bool { get }
    /// Whether the tokens have a class token among them after some blocks; nil: after all, and the final norm.
    func hasClassToken(afterBlocks count: Int?) -> Bool
    /// The model without what serves its training alone: the encoder of a masked autoencoder.
    var backbone: any ModelConfiguration { get }

    /// The shape that training begins with: without a head, and with trained positions for the model's own images.
    var trainable: any ModelConfiguration { get }

    /// Every tensor of the model, in forward order and under timm's names.
    var parameterShapes: [ParameterShape] { get }

    /// How the model is built.
    var maker: ModelMaker { get }

    /// How deep a parameter lies: 0 for the embedding, 1 + i for block i, 1 + depth for what follows.
    func layer(ofParameter name: String) -> Int

    /// Floating-point operations of the forward pass of one image, a multiply-add counted as two.
    var operationCount: Double { get }
}

/// Which parts of a model are built.
package enum ModelParts {
    /// All of it. From `frozenCount` 1 on, the embedding and as many blocks are built with `frozen` and are not trained.
    case classifier(frozenCount: Int = 0, frozen: LayerBuilder? = nil)
    /// Without its heads: the first `layer` blocks, whose tokens are read as they are; nil: all blocks and the final norm.
    case features(layer: Int? = nil)
}

/// How a model is built: opaque to users of the library.
public struct ModelMaker: Sendable {
    package let make: @Sendable (ModelParts, LayerBuilder) throws -> any VisionModel

    package init(_ make: @escaping @Sendable (ModelParts, LayerBuilder) throws -> any VisionModel) { self.make = make }
}

extension ModelConfiguration {
    /// The model itself, where all of it is used.
    public var backbone: any ModelConfiguration { self }

    /// Wherever the model has one.
    public func hasClassToken(afterBlocks count: Int?) -> Bool { hasClassToken }

    /// There is none.
    public var hasDistillationToken: Bool { false }

    /// There is none.
    public var hasAttentionPooling: Bool { false }

    /// There is none.
    public var projectionWidth: Int { 0 }

    /// What is read of the tokens where nothing is asked for: what the head sees, and of layers in between, which neither
    /// attention nor a projection was trained on, the class token or else the mean.
    package func defaultPooling(afterBlocks count: Int?) -> FeaturePooling {
        guard count != nil, [.attention, .projection].contains(headPooling) else { return headPooling }
        return hasClassToken(afterBlocks: count) ? .classToken : .meanPatches
    }

    /// Why no vectors of a kind can be read after so many blocks (nil: all, and the final norm), as what the model lacks; nil
    /// where they can.
    package func obstacle(to pooling: FeaturePooling, afterBlocks count: Int?) -> String? {
        let place = count.map { " in layer \($0)" } ?? ""
        if pooling.readsClassToken, !hasClassToken(afterBlocks: count) {
            return "no class token\(hasClassToken ? place : "")"
        }
        if pooling == .attention, !hasAttentionPooling || count != nil { return "no attention pooling\(place)" }
        if pooling == .projection, projectionWidth == 0 || count != nil { return "no projection\(place)" }
        return nil
    }

    /// The same without its head, with positions for its images.
    public var trainable: any ModelConfiguration {
        var model = self
        (model.classCount, model.positionImageSize) = (0, nil)
        return model
    }

    /// Builds the model.
    package func model(_ parts: ModelParts, _ builder: LayerBuilder) throws -> any VisionModel {
        try maker.make(parts, builder)
    }

    /// Takes images of another size; the positions are interpolated to it.
    package mutating func takeImages(of size: Size) {
        let trained = positionImageSize ?? imageSize
        positionImageSize = trained == size ? nil : trained
        imageSize = size
    }

    /// The grid that the stored table of positions was made for.
    package var positionGrid: Size {
        let size = positionImageSize ?? imageSize
        return Size(height: size.height / patchSize.height, width: size.width / patchSize.width)
    }

    /// By the names of timm's Vision Transformers.
    public func layer(ofParameter name: String) -> Int {
        let parts = name.split(separator: ".")
        if parts.count > 1, parts[0] == "blocks", let block = Int(parts[1]) { return block + 1 }
        let isEmbedding =
            name.hasPrefix("patch_embed.") || name.hasPrefix("norm_pre.") || name.hasSuffix("_token")
            || name == "pos_embed"
        return isEmbedding ? 0 : depth + 1
    }

    /// The grid of patches of an image.
    package var grid: Size {
        Size(height: imageSize.height / patchSize.height, width: imageSize.width / patchSize.width)
    }

    /// The shape of a batch of images: (count, channels, height, width).
    package func imageShape(count: Int) -> [Int] { [count, inputChannels, imageSize.height, imageSize.width] }

    /// The number of patches (L).
    package var patchCount: Int { grid.height * grid.width }

    /// The number of tokens (N).
    package var tokenCount: Int { prefixCount + patchCount }

    /// The shape of what stands for an image: (D), (2·D), (L, D), or the length of a projection.
    package func featureShape(_ pooling: FeaturePooling) -> [Int] {
        switch pooling {
        case .classToken, .meanPatches, .attention: [width]
        case .projection: [projectionWidth]
        case .classTokenAndMean: [2 * width]
        case .patches: [patchCount, width]
        }
    }
}

/// What no model may ask for.
package enum ModelLimits {
    /// The patches of an image: the memory of attention grows with their square.
    package static let patchCount = 16_384
}
