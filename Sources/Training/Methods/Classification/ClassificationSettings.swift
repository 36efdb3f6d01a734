import Datasets
import Imaging
import Models
import Support

/// The settings of supervised training.
public struct ClassificationSettings: Sendable, Equatable {
    /// What the distillation token learns (Touvron et al. 2021, section 4).
    public enum Distillation: String, Sendable, CaseIterable {
        /// The class that the teacher finds most likely.
        case hard
        /// The teacher's distribution over the classes.
        case soft
    }

    /// By what the best model is chosen on held-out images.
    public enum BestBy: String, Sendable, CaseIterable {
        /// The fraction of the images that is classified right.
        case accuracy
        /// The mean of that over the classes.
        case balancedAccuracy = "balanced-accuracy"
        /// The mean of the classes' F1.
        case macroF1 = "macro-f1"
        /// The smallest cross-entropy.
        case loss

        /// The larger, the better.
        func score(_ scores: ClassificationScores) -> Double {
            switch self {
            case .accuracy: scores.top1
            case .balancedAccuracy: scores.balancedAccuracy
            case .macroF1: scores.macroF1
            case .loss: -scores.loss
            }
        }

        /// What the metrics call it, where they do not have it anyway.
        var metric: String? {
            switch self {
            case .accuracy, .loss: nil
            case .balancedAccuracy: "validation_balanced_accuracy"
            case .macroF1: "validation_macro_f1"
            }
        }
    }

    /// The names of the classes.
    public var classes: [String] = []
    /// The first blocks that are not trained, nor is what comes before them; 0: everything is trained.
    public var freeze = 0
    /// How training images are augmented.
    public var augment = RunSettings.Augment.crop
    /// The smallest fraction of the area that a crop takes.
    public var cropScale = 0.08
    /// Whether half of the images are flipped.
    public var flips = true
    /// Whether images are rotated by a random number of quarters.
    public var rotates = false
    /// RandAugment as timm writes it; "none": there is none.
    public var randAugment = "m9-mstd0.5-inc1"
    /// The probability that a rectangle of an image is erased.
    public var erasing = 0.25
    /// λ of mixup is drawn from Beta(α, α); 0: no mixup.
    public var mixup = 0.8
    /// The same for cutmix; 0: no cutmix.
    public var cutmix = 1.0
    /// The fraction of each target that is spread over all classes.
    public var smoothing = 0.1
    /// What the loss of each class is multiplied by.
    public var classWeights = ClassWeights.none
    /// By what the best model is chosen.
    public var bestBy = BestBy.accuracy
    /// What the learning rate is multiplied by from layer to layer, from the head down.
    public var layerDecay = 1.0
    /// The probability that the last block's branches are dropped.
    public var dropPath = 0.1
    /// The fraction of the patches that the encoder does not get in training.
    public var patchDropout = 0.0
    /// The checkpoint to distill; empty: there is none.
    public var teacher = ""
    /// How it is distilled.
    public var distillation = Distillation.hard

    init() {}
}

/// Options of a run of supervised training.
public typealias ClassificationOptions = TrainingOptions<ClassificationSettings>

extension ClassificationOptions {
    /// Nothing asked for but the data: class folders or a table.
    public init(data: String) { self.init(Classification.self, data: data) }
}

extension Classification {
    package static var name: String { "classification" }
    package static var requiresLabels: Bool { true }
    /// Without images to choose the best model by, it would be the last one.
    package static var holdout: (fraction: Double, imageCount: Int) { (0.1, 500) }

    /// He et al. 2022, table 9.
    package static var defaults: TrainingSettings<ClassificationSettings> {
        var settings = TrainingSettings(ClassificationSettings())
        settings.run.baseRate = 5e-4
        settings.run.minimumRate = 1e-6
        settings.run.beta2 = 0.999
        (settings.request.epochs, settings.request.warmupEpochs) = (100, 5)
        return settings
    }

    package static var options: [TrainingOption<ClassificationSettings>] {
        typealias Option = TrainingOption<ClassificationSettings>
        return Option.source + Option.encoder + [.recorded("classes", \.method.classes, .texts)]
            + Option.encoderVariant + [
                Option(
                    "freeze", \.method.freeze, .integer(), under: .method,
                    "Number of first blocks to freeze, together with the patch embedding.")
            ] + augmentation + [
                Option(
                    "layer-decay", \.method.layerDecay, .factor, under: .method,
                    "Factor of the learning rate from each block to the one below.",
                    default: "1; with --init 0.75, at width 768 0.65"),
                Option(
                    "drop-path", \.method.dropPath, .fraction, under: .method,
                    "Probability of dropping a branch of the last block; it falls to 0 at the first."),
                Option(
                    "patch-dropout", \.method.patchDropout, .fraction, under: .method,
                    "Fraction of the patches to leave out in training."),
                Option(
                    "teacher", \.method.teacher, .checkpoint, under: .method,
                    "Classifier to distill through a distillation token."),
                Option(
                    "distillation", \.method.distillation, .choice, under: .method,
                    "What to distill: the teacher's class (hard) or its probabilities (soft)."
                ).used { !$0.method.teacher.isEmpty },
                // Earlier versions chose by the accuracy.
                Option(
                    "best-by", \.method.bestBy, .choice, under: .method,
                    "What the best model is chosen by on held-out images.",
                    default: "accuracy; balanced-accuracy with --class-weights balanced"
                ).assuming { $0.method.bestBy = .accuracy },
            ] + Option.images(holdout: "0.1 of 500 images or more")
            + Option.optimization(warmup: "5, at most a twentieth of the run") + Option.upkeep
    }

    private static var augmentation: [TrainingOption<ClassificationSettings>] {
        typealias Option = TrainingOption<ClassificationSettings>
        let strength = SettingKind<Double>.number("a number from 0 to 1000, such as 0.8") { (0...1e3).contains($0) }
        return [
            Option(
                "augment", \.method.augment, .choice, under: .data,
                "Augmentation: crop takes random resized crops."),
            Option(
                "crop-scale", \.method.cropScale, .cropScale, under: .data,
                "Smallest fraction of the image area that a crop takes."
            ).used { $0.method.augment == .crop },
            Option(
                "flip", \.method.flips, .invertibleFlag, under: .data,
                "Flip half of the images; not for charts and text.", default: "--flip"),
            Option(
                "turn", \.method.rotates, .invertibleFlag, under: .data,
                "Rotate images by a random number of quarters, for images from above.", default: "--no-turn"),
            Option(
                "rand-augment", \.method.randAugment, .text, under: .data,
                "RandAugment policy as timm writes it, or none."),
            Option(
                "erasing", \.method.erasing, .probability, under: .data,
                "Probability of erasing a rectangle of an image."),
            Option("mixup", \.method.mixup, strength, under: .data, "α of mixup; 0 for none."),
            Option("cutmix", \.method.cutmix, strength, under: .data, "α of cutmix; 0 for none."),
            Option("smoothing", \.method.smoothing, .probability, under: .data, "Label smoothing."),
            Option(
                "class-weights", \.method.classWeights, .classWeights, under: .data,
                "Weights of the classes in the loss: none, balanced, or a CSV table label,weight."
            ) { $0.request.balancesClasses = $0.method.classWeights == .balanced },
        ]
    }

    /// Why a model of this shape cannot be trained as a classifier; nil where it can.
    static func fault(_ model: any ModelConfiguration) -> String? {
        if !model.hasClassToken, model.headPooling == .classToken {
            return "--pool class needs a class token, which the model does not have; expected --pool mean"
        }
        if model.hasDistillationToken, [.meanPatches, .attention].contains(model.headPooling) {
            return "--pool \(model.headPooling.rawValue) does not go with a distillation token; expected --pool class"
        }
        return nil
    }

    package static func adopt(
        _ checkpoint: Checkpoint, into settings: inout TrainingSettings<ClassificationSettings>
    ) {
        settings.method.layerDecay = settings.encoder.width == 768 ? 0.65 : 0.75
    }

    package static func read(
        _ dataset: ImageDataset, into settings: inout TrainingSettings<ClassificationSettings>
    ) throws {
        guard settings.method.classes.isEmpty || settings.method.classes == dataset.classes else {
            throw TrainingError(
                .malformed,
                "\(settings.run.data): its classes are not those that the run began with; restore the data, or name "
                    + "another directory for a new run")
        }
        settings.method.classes = dataset.classes
        settings.method.classWeights = try settings.method.classWeights.resolved(dataset)
    }

    package static func settle(
        _ settings: inout TrainingSettings<ClassificationSettings>, given: Set<String>, checkpoint: Checkpoint?
    ) {
        if !settings.method.teacher.isEmpty { settings.vit.hasDistillationToken = true }
        if settings.request.balancesClasses, !given.contains("best-by") { settings.method.bestBy = .balancedAccuracy }
    }

    package static func check(
        _ settings: TrainingSettings<ClassificationSettings>, given: Set<String>
    ) throws(TrainingError) {
        let (encoder, method) = (settings.encoder, settings.method)
        func refuse(_ isWrong: Bool, _ text: @autoclosure () -> String) throws(TrainingError) {
            if isWrong { throw TrainingError(.usage, text()) }
        }
        try refuse(
            method.freeze > encoder.depth,
            "--freeze \(method.freeze) is more than the \(encoder.depth) blocks of the model")
        if let fault = fault(encoder) { throw TrainingError(.usage, fault) }
        try refuse(
            given.contains("distillation") && method.teacher.isEmpty,
            "--distillation needs a --teacher to distill")
        try refuse(
            !method.teacher.isEmpty && !encoder.hasDistillationToken,
            "--teacher needs a distillation token, which the model of --init cannot have")
        try refuse(
            method.rotates && encoder.imageSize.width != encoder.imageSize.height,
            "--turn needs square images, not \(encoder.imageSize.text); expected one number as --image-size")
        try refuse(
            settings.keptCount < 1,
            "--patch-dropout \(method.patchDropout) leaves none of \(encoder.patchCount) patches; expected less")
        try refuse(
            method.randAugment != "none"
                && RandAugment(policy: method.randAugment, preprocessing: settings.preprocessing) == nil,
            "--rand-augment takes a policy such as m9-mstd0.5-inc1, or none, not \(method.randAugment)")
    }
}

extension SettingKind<Double> {
    /// The least fraction of an area; recorded with the largest, which is 1.
    fileprivate static var cropScale: Self {
        let kind = factor
        return Self(
            "a number above 0 and up to 1, such as 0.08", encode: { .array([.number($0), .number(1)]) },
            decode: { json in json.doubles.flatMap { $0.count == 2 && $0[1] == 1 ? $0[0] : nil } }, parse: kind.parse,
            text: kind.text, allows: kind.allows, valueName: kind.valueName)
    }
}

extension TrainingSettings<ClassificationSettings> {
    /// The shape of the model.
    public var model: any ModelConfiguration {
        var model = encoder
        model.classCount = method.classes.count
        return model
    }

    /// Patches that the encoder gets in training.
    var keptCount: Int { PatchMask.keptCount(of: encoder.patchCount, maskRatio: method.patchDropout) }

    /// How a parameter is updated: the rate falls by `layerDecay` from layer to layer, from the head down (Clark et al.
    /// 2020, as BEiT and MAE do it); vectors, positions and tokens do not decay. Frozen ones are not updated.
    package func group(_ name: String, decays: Bool) -> ParameterGroup? {
        guard !TrainableClassifier.isFrozen(name, of: encoder, frozenCount: method.freeze) else { return nil }
        let layer = encoder.layer(ofParameter: name)
        let rateScale = (layer..<encoder.depth + 1).reduce(1.0) { scale, _ in scale * method.layerDecay }
        return ParameterGroup(rateScale: rateScale, decays: decays && (name.hasSuffix(".weight") || layer > 0))
    }
}

extension RandAugment {
    /// The policy that timm writes as `m9-n2-mstd0.5-p0.5-inc1`, in any order, with `rand-` before it or not; nil where
    /// it is none. The operations are always those that grow stronger with the magnitude.
    package init?(policy: String, preprocessing: Preprocessing) {
        self.init(preprocessing)
        var parts = policy.split(separator: "-", omittingEmptySubsequences: false)
        if parts.first == "rand" { parts.removeFirst() }
        guard let first = parts.first, first.hasPrefix("m") else { return nil }
        for part in parts {
            let name = part.prefix { $0.isLetter }
            guard let value = Double(part.dropFirst(name.count)), value >= 0 else { return nil }
            switch name {
            case "m" where value <= 10: magnitude = value
            case "mstd": deviation = value
            case "n" where value == value.rounded() && value <= 16: count = Int(value)
            case "p" where value <= 1: probability = value
            case "inc" where value == 1: break
            default: return nil
            }
        }
    }
}
