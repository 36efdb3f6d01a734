import Compute
import Models

/// Every setting of a fine-tuning run, resolved: enough to start the same run again.
///
/// What every run has is found in it as if it were its own.
@dynamicMemberLookup
public struct FinetuningSettings: Sendable, Equatable, StoredSettings {
    /// How training images are augmented.
    public typealias Augment = RunSettings.Augment

    /// What the distillation token learns (Touvron et al. 2021, section 4).
    public enum Distillation: String, Sendable, CaseIterable {
        /// The class that the teacher finds most likely.
        case hard
        /// The teacher's distribution over the classes.
        case soft
    }

    /// What every run has.
    public var run = RunSettings()

    // The model.
    /// The names of the classes.
    public var classes: [String] = []
    /// What the head sees.
    public var pooling = ViTConfiguration.Pooling.classToken
    /// Where the final norm stands.
    public var finalNorm = ViTConfiguration.FinalNorm.beforePooling
    /// What the MLPs apply.
    public var activation = Activation.gelu
    /// Whether there is a class token.
    public var hasClassToken = true
    /// Whether there is a distillation token with a head of its own.
    public var hasDistillationToken = false
    /// Register tokens.
    public var registerCount = 0
    /// Whether class and distillation token have positions.
    public var prefixHasPosition = true
    /// Whether each residual branch is scaled by a trained vector.
    public var hasLayerScale = false
    /// The first blocks, which are not trained, nor is what comes before them; 0: all is trained.
    public var freeze = 0

    // The data.
    /// What is done to training images.
    public var augment = Augment.crop
    /// The least and the largest part of the area that a crop takes.
    public var cropScale = [0.08, 1.0]
    /// Whether half of the images are mirrored.
    public var flips = true
    /// Whether images are turned by a random number of quarters.
    public var turns = false
    /// RandAugment as timm writes it; "none": there is none.
    public var randAugment = "m9-mstd0.5-inc1"
    /// The probability that a rectangle of an image is erased.
    public var erasing = 0.25
    /// λ of mixup is drawn from Beta(α, α); 0: no mixup.
    public var mixup = 0.8
    /// The same for cutmix; 0: no cutmix.
    public var cutmix = 1.0
    /// The part of each target that is spread over all classes.
    public var smoothing = 0.1
    /// What the loss of each class is multiplied by; empty: nothing is.
    public var classWeights: [Double] = []

    // The optimisation.
    /// What the learning rate is multiplied by from layer to layer, from the head down.
    public var layerDecay = 1.0
    /// The probability that the last block's branches are dropped.
    public var dropPath = 0.1
    /// The part of the patches that the encoder does not see.
    public var patchDropout = 0.0
    /// The checkpoint that is learned from; empty: there is none.
    public var teacher = ""
    /// How it is learned from.
    public var distillation = Distillation.hard

    /// The defaults, of which the rest is to be filled in: He et al. 2022, table 9.
    public init() {
        run.baseRate = 5e-4
        run.minimumRate = 1e-6
        run.beta2 = 0.999
    }

    /// A setting that every run has.
    public subscript<Value>(dynamicMember path: WritableKeyPath<RunSettings, Value>) -> Value {
        get { run[keyPath: path] }
        set { run[keyPath: path] = newValue }
    }

    /// What follows from the settings that every run has.
    public subscript<Value>(dynamicMember path: KeyPath<RunSettings, Value>) -> Value { run[keyPath: path] }
}

extension FinetuningSettings {
    package static var fields: [SettingField<FinetuningSettings>] {
        SettingField.encoder + modelFields + dataFields + [
            .number("layer_decay", \.layerDecay), .number("drop_path", \.dropPath),
            .number("patch_dropout", \.patchDropout), .text("teacher", \.teacher),
            .choice("distillation", \.distillation),
        ] + SettingField.optimization + SettingField.upkeep
    }

    private static var modelFields: [SettingField<FinetuningSettings>] {
        [
            .texts("classes", \.classes), .choice("pooling", \.pooling), .choice("final_norm", \.finalNorm),
            .choice("activation", \.activation), .flag("class_token", \.hasClassToken),
            .flag("distillation_token", \.hasDistillationToken), .integer("registers", \.registerCount),
            .flag("prefix_has_position", \.prefixHasPosition), .flag("layer_scale", \.hasLayerScale),
            .integer("freeze", \.freeze),
        ]
    }

    private static var dataFields: [SettingField<FinetuningSettings>] {
        [
            .choice("augment", \.augment), .numbers("crop_scale", \.cropScale), .flag("flip", \.flips),
            .flag("turn", \.turns), .text("rand_augment", \.randAugment),
            .number("erasing", \.erasing), .number("mixup", \.mixup),
            .number("cutmix", \.cutmix), .number("smoothing", \.smoothing),
            .numbers("class_weights", \.classWeights),
        ]
    }

    /// The shape of the model.
    public var model: ViTConfiguration {
        var model = run.encoder
        model.classCount = classes.count
        model.pooling = pooling
        model.finalNorm = finalNorm
        model.activation = activation
        model.hasClassToken = hasClassToken
        model.hasDistillationToken = hasDistillationToken
        model.registerCount = registerCount
        model.prefixHasPosition = prefixHasPosition
        model.hasLayerScale = hasLayerScale
        return model
    }

    /// Patches that the encoder sees while it is trained.
    var keptCount: Int { PatchMask.keptCount(of: model.patchCount, maskRatio: patchDropout) }

    /// Takes the shape of a checkpoint's model.
    mutating func adopt(_ model: ViTConfiguration) {
        activation = model.activation
        hasClassToken = model.hasClassToken
        hasDistillationToken = model.hasDistillationToken
        registerCount = model.registerCount
        prefixHasPosition = model.prefixHasPosition
        hasLayerScale = model.hasLayerScale
        if model.classCount > 0 { (pooling, finalNorm) = (model.pooling, model.finalNorm) }
    }

    /// How a parameter is updated: the rate falls by `layerDecay` from layer to layer, from the head down (Clark et al.
    /// 2020, as BEiT and MAE do it); vectors, positions and tokens do not decay. Frozen ones are not updated.
    package func group(_ name: String, decays: Bool) -> ParameterGroup? {
        let model = model
        guard !TrainableClassifier.isFrozen(name, of: model, frozenCount: freeze) else { return nil }
        let layer = model.layer(ofParameter: name)
        let layersAbove = run.depth + 1 - layer
        let rateScale = (0..<layersAbove).reduce(1.0) { scale, _ in scale * layerDecay }
        return ParameterGroup(
            rateScale: rateScale, decays: decays && (name.hasSuffix(".weight") || layer > 0))
    }
}
