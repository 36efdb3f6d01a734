import Checkpoints
import Models

/// What a person asked for of a pre-training run; what is nil follows from the rest.
@dynamicMemberLookup
public struct PretrainingOptions: Sendable, StoredOptions {
    /// What can be asked for of every run.
    public var run: RunOptions
    /// The length of a token in the decoder.
    public var decoderWidth: Int?
    /// Blocks of the decoder.
    public var decoderDepth: Int?
    /// Attention heads of its blocks.
    public var decoderHeads: Int?
    /// The share of patches that is removed.
    public var maskRatio: Double?
    /// How they are drawn.
    public var sampling: MaskSampling?
    /// What the decoder is to produce.
    public var target: MAEConfiguration.Target?
    /// What is done to training images.
    public var augment: PretrainingSettings.Augment?

    /// Nothing asked for but the data.
    public init(data: String) { run = RunOptions(data: data) }

    /// Something that can be asked for of every run.
    public subscript<Value>(dynamicMember path: WritableKeyPath<RunOptions, Value>) -> Value {
        get { run[keyPath: path] }
        set { run[keyPath: path] = newValue }
    }

    /// Epochs where neither these nor steps are asked for: the paper's shorter schedule.
    static let defaultEpochs = 800.0

    func apply(to settings: inout PretrainingSettings, imageCount: Int) {
        run.apply(to: &settings.run, imageCount: imageCount)
        set(&settings.decoderWidth, decoderWidth)
        if let decoderWidth { settings.decoderHiddenWidth = 4 * decoderWidth }
        set(&settings.decoderDepth, decoderDepth)
        set(&settings.decoderHeads, decoderHeads)
        set(&settings.maskRatio, maskRatio)
        set(&settings.sampling, sampling)
        set(&settings.target, target)
        set(&settings.augment, augment)
    }

    /// The settings of a new run over `imageCount` images.
    ///
    /// - Parameters:
    ///   - channels: what the images have, where nothing else is asked for.
    ///   - checkpoint: where `initial` leads.
    func resolve(
        imageCount: Int, channels: Int, validationFraction: Double, checkpoint: Checkpoint?
    ) throws(TrainingError) -> PretrainingSettings {
        try run.checkEpochs()
        var settings = PretrainingSettings()
        settings.channels = channels
        settings.validationFraction = validationFraction
        if let checkpoint {
            try adopt(checkpoint, into: &settings)
            apply(to: &settings, imageCount: imageCount)
        } else {
            apply(to: &settings, imageCount: imageCount)
            deriveDecoder(&settings)
        }
        try settings.checkValues()
        try run.checkImages(imageCount, settings.run)
        run.derive(&settings.run, imageCount: imageCount, epochs: Self.defaultEpochs)
        try settings.check()
        return settings
    }

    /// The paper's decoder beside the base model and up; beside smaller ones two thirds of the encoder's width and half
    /// the depth, so that most of the arithmetic is the encoder's.
    private func deriveDecoder(_ settings: inout PretrainingSettings) {
        if decoderWidth == nil {
            settings.decoderWidth = min(512, max(32, (settings.width * 2 / 3 + 31) / 32 * 32))
            settings.decoderHiddenWidth = 4 * settings.decoderWidth
        }
        if decoderDepth == nil { settings.decoderDepth = settings.width >= 768 ? 8 : 4 }
        if decoderHeads == nil { settings.decoderHeads = max(1, settings.decoderWidth / 32) }
    }

    /// Takes the shape of a checkpoint's model, and of its decoder where there is one.
    private func adopt(_ checkpoint: Checkpoint, into settings: inout PretrainingSettings) throws(TrainingError) {
        let model = checkpoint.configuration
        guard model.hasClassToken, model.prefixCount == 1, !model.hasLayerScale, model.activation == .gelu,
            model.prefixHasPosition, model.finalNorm == .beforePooling
        else {
            throw TrainingError(
                .usage,
                "\(checkpoint.path): is no plain Vision Transformer; a run can begin with one that has a class token, "
                    + "no registers, no distillation token and no layer scale")
        }
        settings.run.adopt(checkpoint)
        if let decoder = checkpoint.maeDecoder {
            settings.decoderWidth = decoder.width
            settings.decoderDepth = decoder.depth
            settings.decoderHeads = decoder.heads
            settings.decoderHiddenWidth = decoder.hiddenWidth
        } else {
            deriveDecoder(&settings)
        }
    }
}
