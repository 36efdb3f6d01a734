import Models
import Support

/// The encoders that have a name.
///
/// Sources: Touvron et al. 2021 (DeiT), table 1, for tiny and small; Dosovitskiy et al. 2021 (ViT), table 1, for the
/// rest; the patch of 14 for huge as He et al. 2022 use it.
public enum Architecture: String, Sendable, Hashable, CaseIterable {
    case tiny = "vit-tiny"
    case small = "vit-small"
    case base = "vit-base"
    case large = "vit-large"
    case huge = "vit-huge"

    /// Width, depth, heads and patch size.
    public var shape: (width: Int, depth: Int, heads: Int, patch: Int) {
        switch self {
        case .tiny: (192, 12, 3, 16)
        case .small: (384, 12, 6, 16)
        case .base: (768, 12, 12, 16)
        case .large: (1024, 24, 16, 16)
        case .huge: (1280, 32, 16, 14)
        }
    }
}

extension ViTConfiguration {
    /// An encoder by its name, at 224 pixels and without a head.
    public init(_ architecture: Architecture) {
        self.init()
        classCount = 0
        take(architecture)
    }

    mutating func take(_ architecture: Architecture) {
        let shape = architecture.shape
        (width, depth, heads, hiddenWidth) = (shape.width, shape.depth, shape.heads, 4 * shape.width)
        patchSize = Size(square: shape.patch)
    }

    /// The shape of a checkpoint's encoder as training begins with it: without its head, with positions for its images.
    var forTraining: ViTConfiguration {
        var encoder = self
        if classCount == 0 { (encoder.pooling, encoder.finalNorm) = (.classToken, .beforePooling) }
        encoder.classCount = 0
        encoder.positionImageSize = nil
        (encoder.positions, encoder.positionInterpolation) = (.learned, .timm)
        return encoder
    }

    /// Refuses numbers that do not go together.
    func check() throws(TrainingError) {
        try Self.check(width: width, heads: heads)
        guard imageSize.height % patchSize.height == 0, imageSize.width % patchSize.width == 0 else {
            throw TrainingError(
                .usage,
                "--image-size \(imageSize.text) is not a multiple of --patch-size \(patchSize.text); expected one")
        }
        guard patchCount <= 1 << 16 else {
            throw TrainingError(.usage, "\(patchCount) patches per image are too many; expected a larger --patch-size")
        }
    }

    /// Refuses a width that heads or positions cannot share; `part` begins the options' names.
    static func check(_ part: String = "", width: Int, heads: Int) throws(TrainingError) {
        guard width % heads == 0 else {
            throw TrainingError(.usage, "--\(part)width \(width) is not a multiple of --\(part)heads \(heads)")
        }
        guard width % 4 == 0 else {
            throw TrainingError(.usage, "--\(part)width \(width) is not a multiple of 4, which the positions need")
        }
    }
}

extension TrainingOption {
    /// The shape of the encoder.
    static var encoder: [Self] {
        [
            Self(
                "arch", \.request.architecture, SettingKind<Architecture>.choice.optional(), under: .model,
                "Encoder architecture.",
                default: "vit-tiny", isRecorded: false
            ) { if let architecture = $0.request.architecture { $0.encoder.take(architecture) } },
            Self(
                "image-size", \.encoder.imageSize, .pixels, under: .model,
                "Image size: pixels of a side, or HEIGHTxWIDTH."),
            Self(
                "patch-size", \.encoder.patchSize, .pixels, under: .model,
                "Patch size: pixels of a side, or HEIGHTxWIDTH.", default: "16, for vit-huge 14"),
            Self(
                "channels", \.encoder.inputChannels, .integer(from: 1, to: 4), under: .model,
                "Number of image channels.", default: "those of the images"),
            Self(
                "width", \.encoder.width, .size(from: 4), under: .model, "Embedding width.", default: "that of --arch"
            ) { $0.encoder.hiddenWidth = 4 * $0.encoder.width },
            Self("depth", \.encoder.depth, .size(), under: .model, "Number of blocks.", default: "that of --arch"),
            Self(
                "heads", \.encoder.heads, .size(), under: .model, "Number of attention heads.",
                default: "that of --arch"),
            .recorded("hidden_width", \.encoder.hiddenWidth, .size()),
            .recorded("norm_epsilon", \.encoder.layerNormEpsilon, .single),
            .recorded("qkv_bias", \.encoder.qkvBias, .flag),
        ]
    }

    /// What sets one kind of ViT apart from another.
    static var encoderVariant: [Self] {
        [
            Self(
                "pool", \.encoder.pooling, .choice([("class", .classToken), ("mean", .meanPatches)]), under: .method,
                "What the head reads: the class token or the mean of the patches.",
                default: "that of --init, else class", key: "pooling"
                    // The mean has a norm of its own after it, as in MAE.
            ) { $0.encoder.finalNorm = $0.encoder.pooling == .meanPatches ? .afterPooling : .beforePooling },
            .recorded("final_norm", \.encoder.finalNorm, .recordedWord),
            .recorded("activation", \.encoder.activation, .recordedWord),
            .recorded("class_token", \.encoder.hasClassToken, .flag),
            .recorded("distillation_token", \.encoder.hasDistillationToken, .flag),
            .recorded("registers", \.encoder.registerCount, .integer(to: SettingKind<Int>.largestSize)),
            .recorded("prefix_has_position", \.encoder.prefixHasPosition, .flag),
            .recorded("layer_scale", \.encoder.hasLayerScale, .flag),
        ]
    }
}
