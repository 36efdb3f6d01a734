import Checkpoints
import Models

/// What a person asked for; what is nil follows from the rest.
public struct PretrainingOptions: Sendable {
    public var data = ""
    public var initial: String?
    public var architecture: Architecture?
    public var imageSize: Models.Extent?
    public var patchSize: Models.Extent?
    public var channels: Int?
    public var width: Int?
    public var depth: Int?
    public var heads: Int?
    public var decoderWidth: Int?
    public var decoderDepth: Int?
    public var decoderHeads: Int?
    public var maskRatio: Double?
    public var sampling: MaskSampling?
    public var target: MAEConfiguration.Target?
    public var augment: PretrainingSettings.Augment?
    public var validationFraction: Double?
    public var epochs: Double?
    public var steps: Int?
    public var batchSize: Int?
    public var accumulate: Int?
    public var baseRate: Double?
    public var rate: Double?
    public var minimumRate: Double?
    public var warmupEpochs: Double?
    public var weightDecay: Double?
    public var clip: Double?
    public var averageDecay: Double?
    public var seed: UInt64?
    public var checkpointEvery: Int?
    public var keep: Int?
    public var logEvery: Int?
    public var cacheMemory: Int?
    public var isStrict: Bool?

    /// Nothing asked for but the data.
    public init(data: String) { self.data = data }

    /// Epochs where neither these nor steps are asked for: the paper's shorter schedule.
    static let defaultEpochs = 800.0

    /// Puts what was asked for into `settings`, where an epoch of `imageCount` images counts in steps.
    func apply(to settings: inout PretrainingSettings, imageCount: Int) {
        settings.data = data
        set(&settings.initial, initial)
        if let shape = architecture?.shape {
            (settings.width, settings.depth, settings.heads) = (shape.width, shape.depth, shape.heads)
            settings.hiddenWidth = 4 * shape.width
            settings.patchSize = Models.Extent(square: shape.patch)
        }
        set(&settings.imageSize, imageSize)
        set(&settings.patchSize, patchSize)
        set(&settings.channels, channels)
        set(&settings.width, width)
        if let width { settings.hiddenWidth = 4 * width }
        set(&settings.depth, depth)
        set(&settings.heads, heads)
        set(&settings.decoderWidth, decoderWidth)
        if let decoderWidth { settings.decoderHiddenWidth = 4 * decoderWidth }
        set(&settings.decoderDepth, decoderDepth)
        set(&settings.decoderHeads, decoderHeads)
        set(&settings.maskRatio, maskRatio)
        set(&settings.sampling, sampling)
        set(&settings.target, target)
        set(&settings.augment, augment)
        set(&settings.validationFraction, validationFraction)
        applyOptimization(to: &settings, imageCount: imageCount)
        set(&settings.checkpointEvery, checkpointEvery)
        set(&settings.keep, keep)
        set(&settings.logEvery, logEvery)
        set(&settings.cacheMemory, cacheMemory)
        set(&settings.isStrict, isStrict)
    }

    private func applyOptimization(to settings: inout PretrainingSettings, imageCount: Int) {
        set(&settings.batchSize, batchSize)
        set(&settings.accumulate, accumulate)
        set(&settings.weightDecay, weightDecay)
        set(&settings.clip, clip)
        set(&settings.averageDecay, averageDecay)
        set(&settings.seed, seed)
        set(&settings.minimumRate, minimumRate)
        set(&settings.baseRate, baseRate)
        if baseRate != nil {
            settings.rate = LearningRateSchedule.scaled(
                base: settings.baseRate, effectiveBatch: settings.effectiveBatch)
        }
        set(&settings.rate, rate)
        let stepsPerEpoch = Double(imageCount / max(1, settings.effectiveBatch))
        if let epochs { settings.steps = wholeSteps(epochs * stepsPerEpoch) }
        set(&settings.steps, steps)
        if let warmupEpochs { settings.warmupSteps = wholeSteps(warmupEpochs * stepsPerEpoch) }
    }

    private func set<Value>(_ place: inout Value, _ value: Value?) { if let value { place = value } }

    private func wholeSteps(_ count: Double) -> Int { Int(min(max(count.rounded(), 0), 1e15)) }

    /// The settings of a new run over `imageCount` images.
    ///
    /// - Parameters:
    ///   - channels: what the images have, where nothing else is asked for.
    ///   - checkpoint: where `initial` leads.
    func resolve(
        imageCount: Int, channels: Int, validationFraction: Double, checkpoint: Checkpoint?
    ) throws(TrainingError) -> PretrainingSettings {
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
        guard imageCount >= settings.effectiveBatch else {
            throw TrainingError(
                .usage,
                "\(data): has \(imageCount) images to train on, fewer than the \(settings.effectiveBatch) of a step; "
                    + "expected a smaller --batch-size or more images")
        }
        deriveOptimization(&settings, imageCount: imageCount)
        if settings.mean.isEmpty || settings.mean.count != settings.channels {
            (settings.mean, settings.std) = Self.colourStatistics(channels: settings.channels)
        }
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

    private func deriveOptimization(_ settings: inout PretrainingSettings, imageCount: Int) {
        let stepsPerEpoch = Double(imageCount / settings.effectiveBatch)
        if epochs == nil && steps == nil { settings.steps = wholeSteps(Self.defaultEpochs * stepsPerEpoch) }
        if warmupEpochs == nil { settings.warmupSteps = settings.steps / 20 }
        if rate == nil {
            settings.rate = LearningRateSchedule.scaled(
                base: settings.baseRate, effectiveBatch: settings.effectiveBatch)
        }
        if checkpointEvery == nil { settings.checkpointEvery = max(1, min(1000, settings.steps / 20)) }
    }

    /// ImageNet's mean and deviation for colour, their means for grey, 0.5 for alpha.
    static func colourStatistics(channels: Int) -> (mean: [Double], std: [Double]) {
        let isGrey = channels <= 2
        let alpha = channels == 2 || channels == 4 ? [0.5] : []
        return (
            (isGrey ? [0.449] : [0.485, 0.456, 0.406]) + alpha, (isGrey ? [0.226] : [0.229, 0.224, 0.225]) + alpha
        )
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
        settings.imageSize = model.imageSize
        settings.patchSize = model.patchSize
        settings.channels = model.inputChannels
        (settings.width, settings.depth, settings.heads) = (model.width, model.depth, model.heads)
        settings.hiddenWidth = model.hiddenWidth
        settings.qkvBias = model.qkvBias
        settings.normEpsilon = Double(model.layerNormEpsilon)
        settings.mean = spread(checkpoint.preprocessing.mean, over: model.inputChannels)
        settings.std = spread(checkpoint.preprocessing.std, over: model.inputChannels)
        if let decoder = checkpoint.maeDecoder {
            settings.decoderWidth = decoder.width
            settings.decoderDepth = decoder.depth
            settings.decoderHeads = decoder.heads
            settings.decoderHiddenWidth = decoder.hiddenWidth
        } else {
            deriveDecoder(&settings)
        }
    }

    private func spread(_ values: [Double], over count: Int) -> [Double] {
        values.count == 1 ? [Double](repeating: values[0], count: count) : values
    }
}
