import Datasets
import Imaging
import Models
import Support

/// The settings that every run has, resolved, whatever it trains.
public struct RunSettings: Sendable, Equatable {
    /// How training images are augmented.
    public enum Augment: String, Sendable, CaseIterable {
        /// A random resized crop, and a mirror image in half of the cases.
        case crop
        /// The picture as it is looked at outside of training, the same in every epoch.
        case none
    }

    /// How a whole picture is brought to the size of the model.
    public enum Fit: String, Sendable, CaseIterable {
        /// The largest square in the middle; where the model takes none, all of it.
        case crop
        /// All of it, whatever becomes of its proportions.
        case squash
    }

    // What is trained.
    /// The folder or table of images.
    public var data = ""
    /// The checkpoint whose weights the run begins with; empty: random ones.
    public var initial = ""
    /// The size of the pictures in pixels.
    public var imageSize = Size(square: 224)
    /// The size of a patch in pixels.
    public var patchSize = Size(square: 16)
    /// Colour channels, 1 to 4.
    public var channels = 3
    /// The length of a token in the encoder.
    public var width = 192
    /// Blocks of the encoder.
    public var depth = 12
    /// Attention heads of its blocks.
    public var heads = 3
    /// The length of the hidden layer of its MLPs.
    public var hiddenWidth = 768
    /// Added to the variance in every norm.
    public var normEpsilon = 1e-6
    /// Whether queries, keys and values have a bias.
    public var qkvBias = true

    // The data.
    /// What is subtracted from each channel.
    public var mean: [Double] = []
    /// What each channel is divided by.
    public var std: [Double] = []
    /// How a whole picture is brought to size.
    public var fit = Fit.crop
    /// The part of the images that is held out where the data name none.
    public var validationFraction = 0.0

    // The optimisation.
    /// Images in a forward pass.
    public var batchSize = 64
    /// Forward passes in a step.
    public var accumulate = 1
    /// Steps of the whole run.
    public var steps = 0
    /// Steps in which the learning rate rises.
    public var warmupSteps = 0
    /// The learning rate for a batch of 256.
    public var baseRate = 0.0
    /// The learning rate at its peak.
    public var rate = 0.0
    /// The learning rate that the cosine comes down to.
    public var minimumRate = 0.0
    /// The decay of matrices.
    public var weightDecay = 0.05
    /// How much of the first moment stays in a step.
    public var beta1 = 0.9
    /// How much of the second moment stays in a step.
    public var beta2 = 0.0
    /// The norm that gradients are brought down to; 0: they are left as they are.
    public var clip = 0.0
    /// The decay of a moving average of the weights; 0: there is none.
    public var averageDecay = 0.0
    /// Decides weights, order, augmentation and all else that is random.
    public var seed: UInt64 = 0

    // What does not change the result.
    /// Steps between two checkpoints.
    public var checkpointEvery = 0
    /// How many checkpoints are kept; 0: all.
    public var keep = 2
    /// Steps between two lines of metrics.
    public var logEvery = 10
    /// Bytes of decoded images that are kept in memory.
    public var cacheMemory = 1 << 30
    /// Whether the first image that cannot be read ends the run.
    public var isStrict = false

    /// The defaults, of which the rest is to be filled in.
    public init() {}
}

extension RunSettings {
    /// Images in a step.
    public var effectiveBatch: Int { batchSize * accumulate }

    /// The learning rate of each step.
    public var schedule: LearningRateSchedule {
        LearningRateSchedule(peak: rate, minimum: minimumRate, warmupSteps: warmupSteps, totalSteps: steps)
    }

    /// What the model wants done to an image outside of training.
    public var preprocessing: Preprocessing {
        Preprocessing(
            resize: isCut ? .shortestEdge(extent.width) : .exact(width: extent.width, height: extent.height),
            crop: isCut ? extent : nil, mean: mean, std: std)
    }

    /// The same for an image of the training, before it is normalised.
    var wholeImage: Augmentation { isCut ? .none(size: extent) : .squashed(size: extent) }

    /// Whether the middle is cut out; common preprocessors can only say so of a square.
    private var isCut: Bool { fit == .crop && extent.width == extent.height }

    /// The size of the pictures as images have it.
    var extent: Size { Size(height: imageSize.height, width: imageSize.width) }

    /// The shape of the encoder, with the class token alone and no head.
    var encoder: ViTConfiguration {
        var encoder = ViTConfiguration()
        encoder.imageSize = imageSize
        encoder.patchSize = patchSize
        encoder.inputChannels = channels
        (encoder.width, encoder.depth, encoder.heads, encoder.hiddenWidth) = (width, depth, heads, hiddenWidth)
        encoder.layerNormEpsilon = Float(normEpsilon)
        encoder.qkvBias = qkvBias
        encoder.classCount = 0
        return encoder
    }

    var optimizer: AdamW.Settings {
        var settings = AdamW.Settings()
        settings.beta1 = Float(beta1)
        settings.beta2 = Float(beta2)
        settings.weightDecay = Float(weightDecay)
        return settings
    }

    /// Where the means and deviations do not come from a checkpoint: ImageNet's for colour, their means for grey, 0.5 for
    /// alpha.
    package mutating func assumeColours() {
        guard mean.isEmpty || mean.count != channels else { return }
        let isGrey = channels <= 2
        let alpha = channels == 2 || channels == 4 ? [0.5] : []
        mean = (isGrey ? [0.449] : [0.485, 0.456, 0.406]) + alpha
        std = (isGrey ? [0.226] : [0.229, 0.224, 0.225]) + alpha
    }
}
