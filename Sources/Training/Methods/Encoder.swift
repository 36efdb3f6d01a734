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

extension ModelConfiguration {
    /// Refuses images that do not fit the patches.
    func checkPatches() throws(TrainingError) {
        guard imageSize.height % patchSize.height == 0, imageSize.width % patchSize.width == 0 else {
            throw TrainingError(
                .usage,
                "--image-size \(imageSize.text) is not a multiple of --patch-size \(patchSize.text); expected one")
        }
        guard patchCount <= 1 << 16 else {
            throw TrainingError(.usage, "\(patchCount) patches per image are too many; expected a larger --patch-size")
        }
    }
}

extension SettingKind<AdoptedModel?> {
    /// As the model's family writes and reads it.
    fileprivate static var adoptedModel: Self {
        Self(
            "a model", encode: { $0?.json ?? .null },
            decode: { ModelFamilies.configuration($0).map(AdoptedModel.init) }, parse: { _ in nil })
    }
}

extension TrainingOption {
    /// The shape of the encoder.
    static var encoder: [Self] {
        [
            Self.recorded("model", \.adopted, .adoptedModel).applying { $0.adopted != nil },
            Self(
                "arch", \.request.architecture, SettingKind<Architecture>.choice.optional(), under: .model,
                "Encoder architecture.",
                default: "vit-tiny", isRecorded: false
            ) { if let architecture = $0.request.architecture { $0.vit.take(architecture) } }.applying {
                $0.adopted == nil
            },
            Self(
                "image-size", \.vit.imageSize, .pixels, under: .model,
                "Image size: pixels of a side, or HEIGHTxWIDTH."
            ) { $0.adopted?.configuration.imageSize = $0.vit.imageSize },
        ] + shape.map { $0.applying { $0.adopted == nil } }
    }

    private static var shape: [Self] {
        [
            Self(
                "patch-size", \.vit.patchSize, .pixels, under: .model,
                "Patch size: pixels of a side, or HEIGHTxWIDTH.", default: "16, for vit-huge 14"),
            Self(
                "channels", \.vit.inputChannels, .integer(from: 1, to: 4), under: .model,
                "Number of image channels.", default: "those of the images"),
            Self(
                "width", \.vit.width, .size(from: 4), under: .model, "Embedding width.", default: "that of --arch"
            ) { $0.vit.hiddenWidth = 4 * $0.vit.width },
            Self("depth", \.vit.depth, .depth, under: .model, "Number of blocks.", default: "that of --arch"),
            Self(
                "heads", \.vit.heads, .size(), under: .model, "Number of attention heads.",
                default: "that of --arch"),
            .recorded("hidden_width", \.vit.hiddenWidth, .size()),
            .recorded("norm_epsilon", \.vit.layerNormEpsilon, .single),
            .recorded("qkv_bias", \.vit.qkvBias, .flag),
        ]
    }

    /// What sets one kind of ViT apart from another.
    static var encoderVariant: [Self] { variant.map { $0.applying { $0.adopted == nil } } }

    private static var variant: [Self] {
        [
            Self(
                "pool", \.vit.pooling, .choice([("class", .classToken), ("mean", .meanPatches), ("map", .attention)]),
                under: .method,
                "What the head reads: the class token, the mean of the patches, or what attention pools (map).",
                default: "that of --init, else class", key: "pooling"
            ) { $0.vit.finalNorm = $0.vit.pooling == .meanPatches ? $0.vit.normOfMean : .beforePooling },
            .recorded("final_norm", \.vit.finalNorm, .recordedWord),
            .recorded("activation", \.vit.activation, .recordedWord),
            .recorded("class_token", \.vit.hasClassToken, .flag),
            .recorded("distillation_token", \.vit.hasDistillationToken, .flag),
            .recorded("registers", \.vit.registerCount, .integer(to: SettingKind<Int>.largestSize)),
            .recorded("prefix_has_position", \.vit.prefixHasPosition, .flag),
            .recorded("layer_scale", \.vit.hasLayerScale, .flag),
            .recorded("norm_pre", \.vit.hasPreNorm, .flag, whenAbsent: false),
            .recorded("patch_bias", \.vit.patchBias, .flag, whenAbsent: true),
        ]
    }
}
