import Imaging
import Models

/// Every setting of a pre-training run, resolved: enough to start the same run again.
///
/// What every run has is found in it as if it were its own.
@dynamicMemberLookup
public struct PretrainingSettings: Sendable, Equatable, StoredSettings {
    /// How training images are augmented; the crops take 0.2 to 1 of the area.
    public typealias Augment = RunSettings.Augment

    /// What every run has.
    public var run = RunSettings()
    /// The length of a token in the decoder.
    public var decoderWidth = 128
    /// Blocks of the decoder.
    public var decoderDepth = 4
    /// Attention heads of its blocks.
    public var decoderHeads = 4
    /// The length of the hidden layer of its MLPs.
    public var decoderHiddenWidth = 512
    /// The share of patches that is removed.
    public var maskRatio = 0.75
    /// How they are drawn.
    public var sampling = MaskSampling.random
    /// What the decoder is to produce.
    public var target = MAEConfiguration.Target.normalized
    /// What is done to training images.
    public var augment = Augment.crop

    /// The defaults, of which the rest is to be filled in: He et al. 2022, table 8.
    public init() {
        run.baseRate = 1.5e-4
        run.beta2 = 0.95
    }

    /// A setting that every run has.
    public subscript<Value>(dynamicMember path: WritableKeyPath<RunSettings, Value>) -> Value {
        get { run[keyPath: path] }
        set { run[keyPath: path] = newValue }
    }

    /// What follows from the settings that every run has.
    public subscript<Value>(dynamicMember path: KeyPath<RunSettings, Value>) -> Value { run[keyPath: path] }

    package static var fields: [SettingField<PretrainingSettings>] {
        SettingField.encoder + [
            .integer("decoder_width", \.decoderWidth), .integer("decoder_depth", \.decoderDepth),
            .integer("decoder_heads", \.decoderHeads), .integer("decoder_hidden_width", \.decoderHiddenWidth),
            .number("mask_ratio", \.maskRatio), .choice("sampling", \.sampling), .choice("target", \.target),
            .choice("augment", \.augment),
        ] + SettingField.optimization + SettingField.upkeep
    }
}

extension PretrainingSettings {
    /// The model and its task.
    public var model: MAEConfiguration {
        var encoder = run.encoder
        encoder.positions = .sinCos
        encoder.positionInterpolation = .transformers
        var decoder = MAEDecoderConfiguration()
        decoder.width = decoderWidth
        decoder.depth = decoderDepth
        decoder.heads = decoderHeads
        decoder.hiddenWidth = decoderHiddenWidth
        decoder.qkvBias = run.qkvBias
        var model = MAEConfiguration(encoder: encoder, decoder: decoder)
        model.maskRatio = maskRatio
        model.target = target
        return model
    }

    package func checkValues() throws(TrainingError) {
        try run.checkValues([
            ("--decoder-width", decoderWidth, 4), ("--decoder-depth", decoderDepth, 1),
            ("--decoder-heads", decoderHeads, 1),
        ])
        guard maskRatio > 0, maskRatio < 1 else {
            throw TrainingError(.usage, "--mask-ratio takes a number between 0 and 1, such as 0.75, not \(maskRatio)")
        }
    }

    package func check() throws(TrainingError) {
        try RunSettings.check("decoder-", width: decoderWidth, heads: decoderHeads)
        try run.check()
        let patchCount = run.encoder.patchCount
        guard model.keptCount > 0, model.keptCount < patchCount else {
            throw TrainingError(
                .usage,
                "--mask-ratio \(maskRatio) of \(patchCount) patches keeps \(model.keptCount); expected some kept and "
                    + "some removed")
        }
    }
}
