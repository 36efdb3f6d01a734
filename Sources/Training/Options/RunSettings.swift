import Communication
import Compute
import Imaging
import Models
import Support

/// The settings that every run has, whatever it trains.
public struct RunSettings: Sendable, Equatable {
    /// How training images are augmented.
    public enum Augment: String, Sendable, CaseIterable {
        /// A random resized crop.
        case crop
        /// The image as it is measured outside of training, the same in every epoch.
        case none
    }

    /// How a whole image is resized to the model's size.
    public enum Fit: String, Sendable, CaseIterable {
        /// The largest square in the middle; all of the image where the model does not take squares.
        case crop
        /// All of the image, whatever becomes of its proportions.
        case squash
    }

    /// The folder or table of images.
    public var data = ""
    /// The checkpoint whose weights the run starts from; empty: random weights.
    public var initial = ""
    /// Which model of that checkpoint, where it has several; empty: see `Checkpoint.open`.
    public var weights = ""
    /// What is subtracted from each channel.
    public var mean: [Double] = []
    /// What each channel is divided by.
    public var std: [Double] = []
    /// How a whole image is resized.
    public var fit = Fit.crop
    /// The fraction of the images that is held out where the data have no split.
    public var validationFraction = 0.0
    /// Whether images are also held out where the data have a test part but none for validation.
    public var holdsOutBesideTest = true
    /// Whether damaged images are read as far as they go.
    public var isLenient = false
    /// The largest number of pixels of an image; larger ones are not read.
    public var maxPixels = DecodingOptions().maxPixels
    /// Images per forward pass.
    public var batchSize = 64
    /// Forward passes per step, of all processes together.
    public var accumulate = 1
    /// Steps of the whole run.
    public var steps = 0
    /// Steps over which the learning rate rises.
    public var warmupSteps = 0
    /// The learning rate for a batch of 256; nil: the peak is `LearningRateSchedule.maskedAutoencoding`'s.
    public var baseRate: Double?
    /// The peak learning rate.
    public var rate = 0.0
    /// The learning rate at the end of the cosine.
    public var minimumRate = 0.0
    /// AdamW's decay of matrices.
    public var weightDecay = 0.05
    /// The decay of AdamW's first moment.
    public var beta1 = 0.9
    /// The decay of AdamW's second moment.
    public var beta2 = 0.999
    /// The largest norm of the gradients; 0: any.
    public var clip = 0.0
    /// How products of matrices are computed; not int8.
    public var precision = Precision.float32
    /// The decay of the weights' moving average; 0: there is none.
    public var averageDecay = 0.0
    /// Decides weights, order, augmentation and everything else that is random.
    public var seed: UInt64 = 0
    /// Steps between two checkpoints.
    public var checkpointEvery = 0
    /// Checkpoints that are kept; 0: all.
    public var keep = 2
    /// Steps between two lines of metrics.
    public var logEvery = 10
    /// Bytes of decoded images that are kept in memory.
    public var cacheMemory = 1 << 30
    /// Whether the first image that cannot be read ends the run.
    public var isStrict = false
    /// The command that began the run; empty if it was none.
    public var command = ""

    init() {}

    /// The checkpoint that the run starts from, opened; nil: it starts from random weights.
    func openInitial() throws(CheckpointError) -> Checkpoint? {
        if initial.isEmpty { return nil }
        return try Checkpoint.open(initial, weights: weights.isEmpty ? nil : weights)
    }

    /// Images per step.
    public var effectiveBatch: Int { batchSize * accumulate }

    /// The numbers that a run keeps for a weight: itself, its gradient and sums of those, two moments, and its average where
    /// there is one.
    var copies: Int { (averageDecay > 0 ? 5 : 4) + SumTree.depth(parts: 0..<accumulate) }

    /// The learning rate of each step.
    public var schedule: LearningRateSchedule {
        LearningRateSchedule(peak: rate, minimum: minimumRate, warmupSteps: warmupSteps, totalSteps: steps)
    }

    var optimizer: AdamW.Settings {
        var settings = AdamW.Settings()
        (settings.beta1, settings.beta2) = (Float(beta1), Float(beta2))
        settings.weightDecay = Float(weightDecay)
        return settings
    }

    /// The peak rate that follows from the base rate.
    mutating func scaleRate() {
        rate =
            baseRate.map { LearningRateSchedule.scaled(base: $0, effectiveBatch: effectiveBatch) }
            ?? LearningRateSchedule.maskedAutoencoding(effectiveBatch: effectiveBatch)
    }
}

/// What is asked for in other terms than those that are recorded, until it is settled into them.
public struct TrainingRequest: Sendable, Equatable {
    /// The encoder by its name.
    public var architecture: Architecture?
    /// Passes over the data.
    public var epochs: Double?
    /// Minutes that the run may take, from which its steps follow.
    public var minutes: Double?
    /// Epochs over which the learning rate rises.
    public var warmupEpochs: Double?
    /// Whether the classes are to count alike.
    var balancesClasses = false
}

extension TrainingOption {
    /// Where a run starts from.
    static var source: [Self] {
        [
            .recorded("data", \.run.data, .text, changesResult: false),
            Self(
                "init", \.run.initial, .checkpoint, under: .model, "Start from the weights of this checkpoint.",
                default: "random weights"),
            Self(
                "weights", \.run.weights, .text, under: .model, "Which model of a file with several --init reads.",
                default: "the teacher or average"
            ).assuming { $0.run.weights = "" },
        ]
    }

    /// How whole images are prepared, and which are held out.
    static func images(holdout: String) -> [Self] {
        [
            .recorded("mean", \.run.mean, .numbers), .recorded("std", \.run.std, .numbers),
            Self(
                "fit", \.run.fit, .choice, under: .data,
                "How to resize a whole image: crop takes the central square, squash ignores proportions.",
                default: "that of --init, else crop"),
            Self(
                "validation-fraction", \.run.validationFraction, .fraction, under: .data,
                "Fraction of the images held out for validation if the data have no validation part.", default: holdout
            ).used { $0.run.validationFraction > 0 },
            Self(
                "lenient", \.run.isLenient, .invertibleFlag, under: .data,
                "Read damaged images as far as they go, and name each."
            ).assuming { $0.run.isLenient = false },
            Self("max-pixels", \.run.maxPixels, .integer(from: 1, to: .max), under: .data, "Maximum pixels per image.")
                .assuming { $0.run.maxPixels = DecodingOptions().maxPixels },
            // Earlier versions held nothing out then.
            Self.recorded("holdout_beside_test", \.run.holdsOutBesideTest, .flag, whenAbsent: false)
                .used { $0.run.validationFraction > 0 },
        ]
    }

    /// Steps, batches, rates and random numbers.
    static func optimization(warmup: String, baseRate: String? = nil, rate: String = "scaled from --blr") -> [Self] {
        [
            Self(
                "epochs", \.request.epochs, SettingKind<Double>.length.optional(), under: .optimization,
                "Number of passes over the data.", isRecorded: false),
            Self(
                "batch-size", \.run.batchSize, .size(), under: .optimization,
                "Number of images per forward pass."),
            Self(
                "accumulate", \.run.accumulate, .size(), under: .optimization,
                "Number of forward passes per step, in each process that MPI starts."),
            Self(
                "steps", \.run.steps, .integer(from: 1), under: .optimization,
                "Number of steps, instead of --epochs.", default: ""),
            Self(
                "minutes", \.request.minutes, SettingKind<Double>.length.optional(), under: .optimization,
                "Minutes to train for, instead of --epochs: the number of steps follows from a few timed ones.",
                default: "", isRecorded: false),
            Self(
                "warmup-epochs", \.request.warmupEpochs, SettingKind<Double>.length.optional(),
                under: .optimization,
                "Epochs over which the learning rate rises from 0.", default: warmup, isRecorded: false),
            .recorded("warmup_steps", \.run.warmupSteps, .integer()),
            Self(
                "blr", \.run.baseRate, SettingKind<Double>.nonNegative.optional(), under: .optimization,
                "Learning rate for a batch of 256; scaled with the batch size.", default: baseRate
            ) { $0.run.scaleRate() }.used {
                var scaled = $0.run
                scaled.scaleRate()
                return scaled.rate == $0.run.rate
            }.assuming { $0.run.baseRate = nil },
            Self(
                "lr", \.run.rate, .nonNegative, under: .optimization,
                "Peak learning rate, whatever the batch size.", default: rate),
            Self(
                "min-lr", \.run.minimumRate, .nonNegative, under: .optimization,
                "Learning rate at the end of the run."),
            Self(
                "weight-decay", \.run.weightDecay, .nonNegative, under: .optimization,
                "AdamW's weight decay; biases and norms have none."),
            .recorded("beta1", \.run.beta1, .fraction), .recorded("beta2", \.run.beta2, .fraction),
            Self(
                "clip", \.run.clip, .nonNegative, under: .optimization,
                "Largest norm of the gradients; 0 does not clip."),
            Self(
                "precision", \.run.precision, .choice([("float32", .float32), ("bfloat16", .bfloat16)]),
                under: .optimization,
                "Precision of the matrix products in the blocks, and of what they keep for the backward pass."
            ).assuming { $0.run.precision = .float32 },
            Self(
                "ema", \.run.averageDecay, .fraction, under: .optimization,
                "Decay of a moving average of the weights, which becomes the result; 0 for none."),
            Self(
                "seed", \.run.seed, .seed, under: .optimization,
                "Seed of the weights, the order and everything else that is random."),
        ]
    }

    /// What does not change the result.
    static var upkeep: [Self] {
        [
            Self(
                "checkpoint-every", \.run.checkpointEvery, .integer(from: 1), under: .upkeep,
                "Steps between checkpoints.", default: "a twentieth of the run, at most 1000", changesResult: false),
            Self(
                "keep", \.run.keep, .integer(), under: .upkeep,
                "Number of checkpoints to keep; 0 keeps all.", changesResult: false),
            Self(
                "log-every", \.run.logEvery, .integer(from: 1), under: .upkeep,
                "Steps between lines of metrics.", changesResult: false),
            Self(
                "cache-memory", \.run.cacheMemory, .bytes, under: .data,
                "Memory for decoded images, in bytes or such as 512M or 2G.", changesResult: false),
            Self(
                "strict", \.run.isStrict, .flag, under: .data,
                "Stop at the first image that cannot be read.", changesResult: false),
            Self.recorded("command", \.run.command, .text, changesResult: false, whenAbsent: "").used { _ in false },
        ]
    }
}
