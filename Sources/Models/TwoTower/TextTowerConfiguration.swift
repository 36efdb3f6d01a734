import Compute

/// The shape of a text tower: a transformer over tokens of a vocabulary.
///
/// Sources: Radford et al. 2021 (CLIP), section 2.4; Zhai et al. 2023 (SigLIP); Cherti et al. 2023 (OpenCLIP).
public struct TextTowerConfiguration: Sendable, Hashable {
    /// Which token stands for a text.
    public enum Pooling: Sendable, Hashable {
        /// The first one.
        case first
        /// The last one, padding included (SigLIP).
        case last
        /// The first of those with the highest number, which ends a text in CLIP's vocabulary.
        case highest
        /// The first with this number; where a text has none, its first token.
        case firstOf(Int)
    }

    /// The number of tokens in the vocabulary.
    public var vocabularySize = 49408
    /// The most tokens of a text.
    public var contextLength = 77
    /// The length of a token's vector (D).
    public var width = 512
    /// The number of blocks.
    public var depth = 12
    /// Attention heads of a block; divides `width`.
    public var heads = 8
    /// The length of the MLP's hidden layer.
    public var hiddenWidth = 2048
    /// Added to the variance in every LayerNorm.
    public var layerNormEpsilon: Float = 1e-5
    /// The MLP's activation.
    public var activation = Activation.quickGELU
    /// Whether a token attends to itself and those before it alone.
    public var isCausal = true
    /// Which token stands for a text.
    public var pooling = Pooling.highest
    /// Whether each residual branch is scaled by a trained vector.
    public var hasLayerScale = false
    /// The length of an embedding; 0: that of a token, without a projection.
    public var projectionWidth = 512
    /// Whether the projection has a bias (SigLIP).
    public var projectionBias = false

    /// CLIP's text tower for ViT-B/32; change what differs.
    public init() {}

    /// The length of what stands for a text.
    public var embeddingWidth: Int { projectionWidth > 0 ? projectionWidth : width }
}

extension TextTowerConfiguration {
    /// What stands before the names of all its tensors.
    static let prefix = "text."

    /// Every tensor, in forward order; the names are those of a Vision Transformer's parts behind `text.`.
    public var parameterShapes: [ParameterShape] {
        let prefix = Self.prefix
        var shapes = [
            ParameterShape("\(prefix)token_embed.weight", [vocabularySize, width]),
            ParameterShape("\(prefix)pos_embed", [contextLength, width]),
        ]
        for block in 0..<depth { shapes += blockShapes("\(prefix)blocks.\(block)") }
        shapes += ViTConfiguration.normShapes("\(prefix)norm", width)
        if projectionWidth > 0 {
            shapes += ViTConfiguration.linearShapes(
                "\(prefix)projection", outputs: projectionWidth, inputs: width, bias: projectionBias)
        }
        return shapes
    }

    private func blockShapes(_ name: String) -> [ParameterShape] {
        func scale(_ number: Int) -> [ParameterShape] {
            hasLayerScale ? [ParameterShape("\(name).ls\(number).gamma", [width])] : []
        }
        return ViTConfiguration.normShapes("\(name).norm1", width)
            + ViTConfiguration.linearShapes("\(name).attn.qkv", outputs: 3 * width, inputs: width)
            + ViTConfiguration.linearShapes("\(name).attn.proj", outputs: width, inputs: width) + scale(1)
            + ViTConfiguration.normShapes("\(name).norm2", width)
            + ViTConfiguration.linearShapes("\(name).mlp.fc1", outputs: hiddenWidth, inputs: width)
            + ViTConfiguration.linearShapes("\(name).mlp.fc2", outputs: width, inputs: hiddenWidth) + scale(2)
    }

    /// The place of the token that stands for a text.
    func pooledPlace(in tokens: [Int32]) -> Int {
        switch pooling {
        case .first: return 0
        case .last: return tokens.count - 1
        case .highest:
            let highest = tokens.max() ?? 0
            return tokens.firstIndex(of: highest) ?? 0
        case .firstOf(let number): return tokens.firstIndex { Int($0) == number } ?? 0
        }
    }
}
