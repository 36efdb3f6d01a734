import Layers
import Support

/// The shape of a CaiT (Touvron et al. 2021, "Going deeper with image transformers", tables 2 and 9).
public struct CaiTConfiguration: ModelConfiguration, Hashable {
    /// The size of the image the model takes, in pixels.
    public var imageSize = Size(square: 224)
    /// The size of image the stored position table belongs to, where it is not `imageSize`.
    public var positionImageSize: Size?
    /// The size of a patch, in pixels.
    public var patchSize = Size(square: 16)
    /// Color channels of the input, 1 to 4.
    public var inputChannels = 3
    /// The length of a token (D).
    public var width = 192
    /// The number of blocks over patches.
    public var depth = 24
    /// The number of blocks after them, which compute the class token alone.
    public var classDepth = 2
    /// Attention heads a block; divides `width`.
    public var heads = 4
    /// The length of the MLP's hidden layer in blocks over patches, and in those of the class token.
    public var hiddenWidth = 768
    /// The same in the blocks of the class token.
    public var classHiddenWidth = 768
    /// Whether the projections to queries, keys and values have a bias.
    public var qkvBias = true
    /// Whether the head reads the mean of the patches rather than the class token.
    public var poolsPatches = false
    /// The number of classes; 0 is a model without a head.
    public var classCount = 1000

    /// CaiT-XXS/24 at 224 pixels; change what differs.
    public init() {}
}

extension CaiTConfiguration {
    /// Added to the variance in every LayerNorm.
    static let layerNormEpsilon: Float = 1e-6

    /// True: the blocks of the class token need it.
    public var hasClassToken: Bool { true }
    /// After all blocks over patches alone.
    public func hasClassToken(afterBlocks count: Int?) -> Bool { count == nil }
    /// The class token, which joins the patches after their blocks.
    public var prefixCount: Int { 1 }
    /// What the head sees, as features.
    public var headPooling: FeaturePooling { poolsPatches ? .meanPatches : .classToken }
    /// False: the positions are trained.
    public var hasFixedPositions: Bool { false }
    /// Builds a `CaiT`.
    public var maker: ModelMaker { ModelMaker { try CaiT(self, $0, $1) } }

    /// Every tensor, in forward order and under timm's names; the position table (1, L, D) has rows for patches alone.
    public var parameterShapes: [ParameterShape] {
        var shapes = [
            ParameterShape("cls_token", [1, 1, width]),
            ParameterShape("pos_embed", [1, positionGrid.height * positionGrid.width, width]),
            ParameterShape("patch_embed.proj.weight", [width, inputChannels, patchSize.height, patchSize.width]),
            ParameterShape("patch_embed.proj.bias", [width]),
        ]
        for index in 0..<depth {
            let attention =
                linear("attn.qkv", 3 * width, width, bias: qkvBias) + linear("attn.proj", width, width)
                + linear("attn.proj_l", heads, heads) + linear("attn.proj_w", heads, heads)
            shapes += block("blocks.\(index)", attention, hiddenWidth: hiddenWidth)
        }
        for index in 0..<classDepth {
            let attention =
                ["q", "k", "v"].flatMap { linear("attn.\($0)", width, width, bias: qkvBias) }
                + linear("attn.proj", width, width)
            shapes += block("blocks_token_only.\(index)", attention, hiddenWidth: classHiddenWidth)
        }
        shapes += [ParameterShape("norm.weight", [width]), ParameterShape("norm.bias", [width])]
        return classCount > 0 ? shapes + linear("head", classCount, width) : shapes
    }

    private func block(_ name: String, _ attention: [ParameterShape], hiddenWidth: Int) -> [ParameterShape] {
        func norm(_ number: Int) -> [ParameterShape] {
            [ParameterShape("norm\(number).weight", [width]), ParameterShape("norm\(number).bias", [width])]
        }
        let shapes =
            norm(1) + attention + [ParameterShape("gamma_1", [width])] + norm(2)
            + linear("mlp.fc1", hiddenWidth, width) + linear("mlp.fc2", width, hiddenWidth)
            + [ParameterShape("gamma_2", [width])]
        return shapes.map { ParameterShape("\(name).\($0.name)", $0.shape) }
    }

    private func linear(_ name: String, _ outputs: Int, _ inputs: Int, bias: Bool = true) -> [ParameterShape] {
        let weight = ParameterShape("\(name).weight", [outputs, inputs])
        return bias ? [weight, ParameterShape("\(name).bias", [outputs])] : [weight]
    }

    /// Floating-point operations of the forward pass of one image, a multiply-add counted as two.
    public var operationCount: Double {
        let (n, d, h) = (Double(patchCount), Double(width), Double(heads))
        let patchLength = Double(inputChannels * patchSize.height * patchSize.width)
        let block = 8 * n * d * d + 4 * n * n * d + 4 * n * n * h * h + 4 * n * d * Double(hiddenWidth)
        let classBlock = 4 * d * d + 4 * (n + 1) * d * d + 4 * (n + 1) * d + 4 * d * Double(classHiddenWidth)
        return 2 * n * patchLength * d + Double(depth) * block + Double(classDepth) * classBlock
            + 2 * d * Double(classCount)
    }
}
