import Checkpoints
import Datasets
import Models

/// What a person asked for of a fine-tuning run; what is nil follows from the rest.
@dynamicMemberLookup
public struct FinetuningOptions: Sendable, StoredOptions {
    /// What the loss of each class is multiplied by.
    public enum ClassWeights: Sendable, Hashable {
        /// The same for all.
        case none
        /// Images over classes and images of the class: each class counts as much as any other.
        case balanced
        /// A table with the columns label and weight.
        case file(String)
    }

    /// What can be asked for of every run.
    public var run: RunOptions
    /// What the head sees.
    public var pooling: ViTConfiguration.Pooling?
    /// The first blocks, which are not trained.
    public var freeze: Int?
    /// What is done to training images.
    public var augment: FinetuningSettings.Augment?
    /// The least part of the area that a crop takes.
    public var cropScale: Double?
    /// Whether half of the images are mirrored.
    public var flips: Bool?
    /// Whether images are turned by quarters.
    public var turns: Bool?
    /// RandAugment as timm writes it, or "none".
    public var randAugment: String?
    /// The probability that a rectangle of an image is erased.
    public var erasing: Double?
    /// λ of mixup is drawn from Beta(α, α).
    public var mixup: Double?
    /// The same for cutmix.
    public var cutmix: Double?
    /// The part of each target that is spread over all classes.
    public var smoothing: Double?
    /// What the loss of each class is multiplied by.
    public var classWeights: ClassWeights?
    /// What the learning rate is multiplied by from layer to layer.
    public var layerDecay: Double?
    /// The probability that the last block's branches are dropped.
    public var dropPath: Double?
    /// The part of the patches that the encoder does not see.
    public var patchDropout: Double?
    /// The checkpoint that is learned from.
    public var teacher: String?
    /// How it is learned from.
    public var distillation: FinetuningSettings.Distillation?
    /// The weights that `classWeights` stands for, once the data are read.
    var resolvedClassWeights: [Double]?

    /// Nothing asked for but the data.
    public init(data: String) { run = RunOptions(data: data) }

    /// Something that can be asked for of every run.
    public subscript<Value>(dynamicMember path: WritableKeyPath<RunOptions, Value>) -> Value {
        get { run[keyPath: path] }
        set { run[keyPath: path] = newValue }
    }

    /// Epochs where neither these nor steps are asked for, and epochs of the rising rate: He et al. 2022, table 9.
    private static let defaultEpochs = (all: 100.0, warmup: 5.0)

    func apply(to settings: inout FinetuningSettings, imageCount: Int) {
        run.apply(to: &settings.run, imageCount: imageCount)
        if let pooling {
            settings.pooling = pooling
            // The mean has a norm of its own after it, as in MAE.
            settings.finalNorm = pooling == .meanPatches ? .afterPooling : .beforePooling
        }
        set(&settings.freeze, freeze)
        set(&settings.augment, augment)
        if let cropScale { settings.cropScale = [cropScale, 1] }
        set(&settings.flips, flips)
        set(&settings.turns, turns)
        set(&settings.randAugment, randAugment)
        set(&settings.erasing, erasing)
        set(&settings.mixup, mixup)
        set(&settings.cutmix, cutmix)
        set(&settings.smoothing, smoothing)
        set(&settings.classWeights, resolvedClassWeights)
        set(&settings.layerDecay, layerDecay)
        set(&settings.dropPath, dropPath)
        set(&settings.patchDropout, patchDropout)
        set(&settings.teacher, teacher)
        set(&settings.distillation, distillation)
    }

    /// The settings of a new run.
    ///
    /// - Parameter checkpoint: where `initial` leads.
    func resolve(
        _ dataset: ImageDataset, validationFraction: Double, checkpoint: Checkpoint?
    ) throws(TrainingError) -> FinetuningSettings {
        let imageCount = dataset.training.count
        try run.checkEpochs()
        var settings = FinetuningSettings()
        settings.classes = dataset.classes
        settings.channels = checkpoint == nil ? ImageChannels.common(in: dataset) : 3
        settings.validationFraction = validationFraction
        if let checkpoint {
            settings.run.adopt(checkpoint)
            settings.adopt(checkpoint.configuration)
            settings.layerDecay = settings.width == 768 ? 0.65 : 0.75
        }
        if teacher != nil { settings.hasDistillationToken = true }
        apply(to: &settings, imageCount: imageCount)
        try settings.checkValues()
        try run.checkImages(imageCount, settings.run)
        run.derive(
            &settings.run, imageCount: imageCount, epochs: Self.defaultEpochs.all,
            warmupEpochs: Self.defaultEpochs.warmup)
        try settings.check()
        return settings
    }
}
