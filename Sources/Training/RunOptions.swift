import Checkpoints
import Models
import Support

/// What a person asked for of any run; what is nil follows from the rest.
public struct RunOptions: Sendable {
    /// The folder or table of images.
    public var data = ""
    /// The checkpoint whose weights the run begins with.
    public var initial: String?
    /// The encoder, by its name.
    public var architecture: Architecture?
    /// The size of the pictures in pixels.
    public var imageSize: Size?
    /// The size of a patch in pixels.
    public var patchSize: Size?
    /// Colour channels, 1 to 4.
    public var channels: Int?
    /// The length of a token in the encoder.
    public var width: Int?
    /// Blocks of the encoder.
    public var depth: Int?
    /// Attention heads of its blocks.
    public var heads: Int?
    /// How a whole picture is brought to the size of the model.
    public var fit: RunSettings.Fit?
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
    /// The decay of matrices.
    public var weightDecay: Double?
    /// The norm that gradients are brought down to.
    public var clip: Double?
    /// The decay of a moving average of the weights.
    public var averageDecay: Double?
    /// Decides weights, order, augmentation and all else that is random.
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
}

/// What was asked for of a kind of run.
protocol StoredOptions {
    associatedtype Settings: StoredSettings
    var run: RunOptions { get }
    /// Puts what was asked for into `settings`, where an epoch of `imageCount` images counts in steps.
    func apply(to settings: inout Settings, imageCount: Int)
}

extension RunOptions {
    /// Puts what was asked for into `settings`, where an epoch of `imageCount` images counts in steps.
    func apply(to settings: inout RunSettings, imageCount: Int) {
        settings.data = data
        set(&settings.initial, initial)
        if let shape = architecture?.shape {
            (settings.width, settings.depth, settings.heads) = (shape.width, shape.depth, shape.heads)
            settings.hiddenWidth = 4 * shape.width
            settings.patchSize = Size(square: shape.patch)
        }
        set(&settings.imageSize, imageSize)
        set(&settings.patchSize, patchSize)
        set(&settings.channels, channels)
        set(&settings.width, width)
        if let width { settings.hiddenWidth = 4 * width }
        set(&settings.depth, depth)
        set(&settings.heads, heads)
        set(&settings.fit, fit)
        set(&settings.validationFraction, validationFraction)
        applyOptimization(to: &settings, imageCount: imageCount)
        set(&settings.checkpointEvery, checkpointEvery)
        set(&settings.keep, keep)
        set(&settings.logEvery, logEvery)
        set(&settings.cacheMemory, cacheMemory)
        set(&settings.isStrict, isStrict)
    }

    private func applyOptimization(to settings: inout RunSettings, imageCount: Int) {
        set(&settings.batchSize, batchSize)
        set(&settings.accumulate, accumulate)
        set(&settings.weightDecay, weightDecay)
        set(&settings.clip, clip)
        set(&settings.averageDecay, averageDecay)
        set(&settings.seed, seed)
        set(&settings.minimumRate, minimumRate)
        set(&settings.baseRate, baseRate)
        if baseRate != nil { settings.scaleRate() }
        set(&settings.rate, rate)
        let stepsPerEpoch = Double(imageCount / max(1, settings.effectiveBatch))
        if let epochs { settings.steps = Self.wholeSteps(epochs * stepsPerEpoch) }
        set(&settings.steps, steps)
        if let warmupEpochs { settings.warmupSteps = Self.wholeSteps(warmupEpochs * stepsPerEpoch) }
    }

    /// Settles what was not asked for.
    ///
    /// - Parameters:
    ///   - epochs: where neither these nor steps are asked for.
    ///   - warmupEpochs: where they are not asked for; nil: a twentieth of the run.
    func derive(
        _ settings: inout RunSettings, imageCount: Int, epochs defaultEpochs: Double,
        warmupEpochs defaultWarmup: Double? = nil
    ) {
        let stepsPerEpoch = Double(imageCount / settings.effectiveBatch)
        if epochs == nil && steps == nil { settings.steps = Self.wholeSteps(defaultEpochs * stepsPerEpoch) }
        if warmupEpochs == nil {
            let twentieth = settings.steps / 20
            settings.warmupSteps =
                defaultWarmup.map { min(Self.wholeSteps($0 * stepsPerEpoch), twentieth) } ?? twentieth
        }
        if rate == nil { settings.scaleRate() }
        settings.assumeColours()
        if checkpointEvery == nil { settings.checkpointEvery = max(1, min(1000, settings.steps / 20)) }
    }

    private static func wholeSteps(_ count: Double) -> Int {
        count.isFinite ? Int(min(max(count.rounded(), 0), 1e12)) : 0
    }

    /// Refuses what cannot be put into steps.
    func checkEpochs() throws(TrainingError) {
        for (name, value) in [("--epochs", epochs), ("--warmup-epochs", warmupEpochs)] {
            guard let value, !(value.isFinite && value >= 0) else { continue }
            throw TrainingError(.usage, "\(name) takes a number from 0 up, not \(value)")
        }
    }

    /// Refuses a step that takes more images than there are.
    func checkImages(_ imageCount: Int, _ settings: RunSettings) throws(TrainingError) {
        guard imageCount >= settings.effectiveBatch else {
            throw TrainingError(
                .usage,
                "\(data): has \(imageCount) images to train on, fewer than the \(settings.effectiveBatch) of a step; "
                    + "expected a smaller --batch-size or more images")
        }
    }
}

/// Puts a value that was asked for in its place.
func set<Value>(_ place: inout Value, _ value: Value?) { if let value { place = value } }

extension RunSettings {
    /// The peak that follows from the base rate.
    mutating func scaleRate() {
        rate = LearningRateSchedule.scaled(base: baseRate, effectiveBatch: effectiveBatch)
    }
}

extension RunSettings {
    /// Takes the shape of a checkpoint's encoder, and the means, the deviations and the part of a picture that it wants.
    mutating func adopt(_ checkpoint: Checkpoint) {
        let model = checkpoint.configuration
        imageSize = model.imageSize
        patchSize = model.patchSize
        channels = model.inputChannels
        (width, depth, heads) = (model.width, model.depth, model.heads)
        hiddenWidth = model.hiddenWidth
        qkvBias = model.qkvBias
        normEpsilon = Double(model.layerNormEpsilon)
        mean = Self.spread(checkpoint.preprocessing.mean, over: channels)
        std = Self.spread(checkpoint.preprocessing.std, over: channels)
        if case .exact = checkpoint.preprocessing.resize { fit = .squash }
    }

    private static func spread(_ values: [Double], over count: Int) -> [Double] {
        values.count == 1 ? [Double](repeating: values[0], count: count) : values
    }
}
