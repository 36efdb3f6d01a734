import Imaging
import Models
import Support

/// The settings of masked autoencoding (He et al. 2022).
public struct MAESettings: Sendable, Equatable {
    /// The width of a token in the decoder.
    public var decoderWidth = 128
    /// Blocks of the decoder.
    public var decoderDepth = 4
    /// Attention heads of its blocks.
    public var decoderHeads = 4
    /// The width of the hidden layer of its MLPs.
    public var decoderHiddenWidth = 512
    /// The fraction of patches that is masked.
    public var maskRatio = 0.75
    /// How they are drawn.
    public var sampling = MaskSampling.random
    /// What the decoder predicts.
    public var target = MAEConfiguration.Target.normalized
    /// How training images are augmented.
    public var augment = RunSettings.Augment.crop

    init() {}
}

/// Options of a run of masked autoencoding.
public typealias MAEOptions = TrainingOptions<MAESettings>

extension MAEOptions {
    /// Nothing asked for but the data: a folder of images or a table.
    public init(data: String) { self.init(MAE.self, data: data) }
}

extension MAE {
    package static var name: String { "mae" }
    package static var requiresLabels: Bool { false }
    /// A hundredth of a large set is enough to watch the training, and is not missed by it.
    package static var holdout: (fraction: Double, imageCount: Int) { (0.01, 1000) }

    /// He et al. 2022, table 8, and their shorter schedule.
    package static var defaults: TrainingSettings<MAESettings> {
        var settings = TrainingSettings(MAESettings())
        settings.run.beta2 = 0.95
        settings.request.epochs = 800
        return settings
    }

    package static var options: [TrainingOption<MAESettings>] {
        typealias Option = TrainingOption<MAESettings>
        return Option.source + Option.encoder + [
            Option(
                "decoder-width", \.method.decoderWidth, .size(from: 4), under: .method, "Width of the decoder.",
                default: "two thirds of the encoder's, at most 512"
            ) { $0.method.decoderHiddenWidth = 4 * $0.method.decoderWidth },
            Option(
                "decoder-depth", \.method.decoderDepth, .depth, under: .method, "Number of blocks of the decoder.",
                default: "8, below vit-base 4"),
            Option(
                "decoder-heads", \.method.decoderHeads, .size(), under: .method,
                "Number of attention heads of the decoder.", default: "its width / 32"),
            .recorded("decoder_hidden_width", \.method.decoderHiddenWidth, .size()),
            Option(
                "mask-ratio", \.method.maskRatio,
                .number("a number between 0 and 1, such as 0.75") { $0 > 0 && $0 < 1 }, under: .method,
                "Fraction of the patches to mask."),
            Option("sampling", \.method.sampling, .choice, under: .method, "How the masked patches are drawn."),
            Option(
                "target", \.method.target, .choice, under: .method,
                "What to predict of a masked patch: its normalized pixels, its pixels, their mean, or a quarter-size copy."
            ),
            Option(
                "augment", \.method.augment, .choice, under: .data,
                "Augmentation: crop takes random resized crops and flips half of them."),
        ] + Option.images(holdout: "0.01 of 1,000 images or more")
            + Option.optimization(
                warmup: "a twentieth of the run", baseRate: "none",
                rate: "0.0024 · √(effective batch / 4096), or scaled from --blr") + Option.upkeep
    }

    /// Why a model of this shape cannot be trained as a masked autoencoder; nil where it can.
    static func fault(_ model: ViTConfiguration) -> String? {
        guard model.hasClassToken, model.prefixCount == 1, !model.hasLayerScale, model.activation == .gelu,
            model.prefixHasPosition, model.finalNorm == .beforePooling, model.pooling != .attention,
            model.patchBias, !model.hasPreNorm
        else {
            return "is no plain Vision Transformer; expected a class token, no registers, no distillation token and no "
                + "layer scale"
        }
        return nil
    }

    package static func adopt(
        _ checkpoint: Checkpoint, into settings: inout TrainingSettings<MAESettings>
    ) throws {
        if let fault = fault(try checkpoint.visionTransformer()) {
            throw TrainingError(.usage, "\(checkpoint.path): \(fault)")
        }
        settings.vit.pooling = .classToken
        guard let decoder = (checkpoint.configuration as? MAEConfiguration)?.decoder else { return }
        settings.method.decoderWidth = decoder.width
        settings.method.decoderDepth = decoder.depth
        settings.method.decoderHeads = decoder.heads
        settings.method.decoderHiddenWidth = decoder.hiddenWidth
    }

    /// The paper's decoder beside the base model and up; beside smaller ones two thirds of the encoder's width and half
    /// the depth, so that most of the arithmetic is the encoder's.
    package static func settle(
        _ settings: inout TrainingSettings<MAESettings>, given: Set<String>, checkpoint: Checkpoint?
    ) {
        guard !(checkpoint?.configuration is MAEConfiguration) else { return }
        let width = settings.encoder.width
        if !given.contains("decoder-width") {
            settings.method.decoderWidth = min(512, max(32, (width * 2 / 3 + 31) / 32 * 32))
            settings.method.decoderHiddenWidth = 4 * settings.method.decoderWidth
        }
        if !given.contains("decoder-depth") { settings.method.decoderDepth = width >= 768 ? 8 : 4 }
        if !given.contains("decoder-heads") {
            settings.method.decoderHeads = max(1, settings.method.decoderWidth / 32)
        }
    }

    package static func memoryNeed(_ settings: TrainingSettings<MAESettings>) -> MemoryNeed {
        .training(settings.model, imageCount: settings.run.batchSize, copies: settings.run.copies)
    }

    package static func check(
        _ settings: TrainingSettings<MAESettings>, given: Set<String>
    ) throws(TrainingError) {
        try ViTConfiguration.check(
            "decoder-", width: settings.method.decoderWidth, heads: settings.method.decoderHeads)
        let (model, patchCount) = (settings.model, settings.encoder.patchCount)
        guard model.keptCount > 0, model.keptCount < patchCount else {
            throw TrainingError(
                .usage,
                "--mask-ratio \(settings.method.maskRatio) of \(patchCount) patches leaves \(model.keptCount); expected "
                    + "some masked and some visible")
        }
    }
}

extension TrainingSettings<MAESettings> {
    /// The model and its task.
    public var model: MAEConfiguration {
        var encoder = vit
        (encoder.positions, encoder.positionInterpolation) = (.sinCos, .transformers)
        var decoder = MAEDecoderConfiguration()
        (decoder.width, decoder.depth, decoder.heads) = (method.decoderWidth, method.decoderDepth, method.decoderHeads)
        decoder.hiddenWidth = method.decoderHiddenWidth
        decoder.qkvBias = encoder.qkvBias
        var model = MAEConfiguration(encoder: encoder, decoder: decoder)
        model.maskRatio = method.maskRatio
        model.target = method.target
        return model
    }

    /// Whether the decoder predicts the pixels of a patch.
    var predictsPixels: Bool { method.target.isPixels }

    /// Paints the patches of prepared images.
    package var painter: PatchPainter {
        PatchPainter(
            patch: encoder.patchSize, preprocessing: preprocessing, isNormalized: method.target == .normalized)
    }
}
