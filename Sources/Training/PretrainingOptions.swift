import Checkpoints
import Models

/// What a person asked for; what is nil follows from the rest.
public struct PretrainingOptions: Sendable {
    /// The folder or table of images.
    public var data = ""
    /// The checkpoint whose weights the run begins with.
    public var initial: String?
    /// The encoder, by its name.
    public var architecture: Architecture?
    /// The size of the pictures in pixels.
    public var imageSize: Models.Extent?
    /// The size of a patch in pixels.
    public var patchSize: Models.Extent?
    /// Colour channels, 1 to 4.
    public var channels: Int?
    /// The length of a token in the encoder.
    public var width: Int?
    /// Blocks of the encoder.
    public var depth: Int?
    /// Attention heads of its blocks.
    public var heads: Int?
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
    /// The part of the images that is held out where the data name none.
    public var validationFraction: Double?
    /// Passes over the images.
    public var epochs: Double?
    /// Steps of the whole run.
    public var steps: Int?
    /// Images in a forward pass.
    public var batchSize: Int?
    /// Forward passes in a step.
    public var accumulate: Int?
    /// The learning rate for a batch of 256.
    public var baseRate: Double?
    /// The learning rate at its peak.
    public var rate: Double?
    /// The learning rate that the cosine comes down to.
    public var minimumRate: Double?
    /// Epochs in which the learning rate rises.
    public var warmupEpochs: Double?
    /// The decay of matrices and tokens.
    public var weightDecay: Double?
    /// The norm that gradients are brought down to.
    public var clip: Double?
    /// The decay of a moving average of the weights.
    public var averageDecay: Double?
    /// Decides weights, order, augmentation and masks.
    public var seed: UInt64?
    /// Steps between two checkpoints.
    public var checkpointEvery: Int?
    /// How many checkpoints are kept; 0: all.
    public var keep: Int?
    /// Steps between two lines of metrics.
    public var logEvery: Int?
    /// Bytes of decoded images that are kept in memory.
    public var cacheMemory: Int?
    /// Whether the first image that cannot be read ends the run.
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

    private func wholeSteps(_ count: Double) -> Int { count.isFinite ? Int(min(max(count.rounded(), 0), 1e12)) : 0 }

    /// Refuses what cannot be put into steps.
    func checkEpochs() throws(TrainingError) {
        for (name, value) in [("--epochs", epochs), ("--warmup-epochs", warmupEpochs)] {
            guard let value, !(value.isFinite && value >= 0) else { continue }
            throw TrainingError(.usage, "\(name) takes a number from 0 up, not \(value)")
        }
    }

    /// The settings of a new run over `imageCount` images.
    ///
    /// - Parameters:
    ///   - channels: what the images have, where nothing else is asked for.
    ///   - checkpoint: where `initial` leads.
    func resolve(
        imageCount: Int, channels: Int, validationFraction: Double, checkpoint: Checkpoint?
    ) throws(TrainingError) -> PretrainingSettings {
        try checkEpochs()
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
