import ArgumentParser
import Models
import Training

struct FinetuneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "finetune",
        abstract: "Train a classifier on a folder of pictures, from a checkpoint or from scratch.",
        discussion: """
            Examples:
              vit finetune photos/ --output run --init mae-run/model --epochs 50
              vit finetune photos/ --output run --init vit-base/ --freeze 10 --epochs 5 --plan
              vit finetune tiles/ --output run --width 192 --depth 6 --heads 3 --image-size 64 --patch-size 8
              vit finetune charts/ --output run --augment none --no-flip --rand-augment none --erasing 0
              vit finetune photos/ --output run --teacher large/ --distillation soft
              vit finetune photos/ --output run --resume

            The data are CLASS/PICTURE, train/CLASS/PICTURE with val/CLASS/PICTURE, or a table with the columns \
            path,label[,split]. The defaults are the recipe of masked autoencoders; mixup, cutmix, RandAugment and so on \
            are each switched off by 0 or none. After each epoch the held-out pictures are looked at, and the best model \
            so far is RUN/model, which transformers loads (with --pool mean: timm). A run that is interrupted saves a \
            checkpoint and exits with 130 (or 143 when terminated); --resume continues it to the same weights. Pictures \
            that cannot be read are named once and replaced by others; the exit code is 1 then.
            """)

    @Argument(help: "A folder of pictures in class folders, or a table with the columns path,label[,split].")
    var data: String

    @OptionGroup var place: RunPlaceOptions
    @OptionGroup(title: "Model") var encoder: EncoderOptions
    @OptionGroup(title: "What is trained") var model: FinetuningModelOptions
    @OptionGroup(title: "Data") var augmentation: AugmentationOptions
    @OptionGroup(title: "Optimisation") var optimization: OptimizationOptions
    @OptionGroup(title: "Upkeep") var upkeep: UpkeepOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var shared: SharedOptions

    func run() throws {
        try TrainingCommand(place: place, isQuiet: shared.quiet) { observer in
            try RunPlan.finetuning(options(), threads: threads.threads, observer: observer)
        } train: { observer in
            try FinetuningRun.open(
                options(), output: place.output, resumes: place.resume, allowsChangedData: place.allowChangedData,
                threads: threads.threads, observer: observer
            ).train()
        }.run()
    }

    private func options() throws -> FinetuningOptions {
        var options = FinetuningOptions(data: data)
        try encoder.fill(&options.run)
        try model.fill(&options)
        augmentation.fill(&options)
        optimization.fill(&options.run)
        try upkeep.fill(&options.run)
        return options
    }
}

struct FinetuningModelOptions: ParsableArguments {
    @Option(
        help: "What the head reads: class (the class token) or mean (of the patches). (default: as --init, else class)")
    var pool: HeadPooling?

    @Option(help: "Leave the patch embedding and the first K blocks as they are. (default: 0, all is trained)")
    var freeze: Int?

    @Option(help: "The learning rate falls by this from block to block. (default: 1; with --init 0.75, width 768 0.65)")
    var layerDecay: Double?

    @Option(help: "Drop the last block's branches with this probability, the others' with less. (default: 0.1)")
    var dropPath: Double?

    @Option(help: "The share of patches that the model does not see in training. (default: 0)")
    var patchDropout: Double?

    @Option(help: ArgumentHelp("Learn from this classifier too, with a distillation token.", valueName: "m"))
    var teacher: String?

    @Option(help: "What is learned from it: hard (its class) or soft (its probabilities). (default: hard)")
    var distillation: FinetuningSettings.Distillation?

    func fill(_ options: inout FinetuningOptions) throws {
        options.pooling = pool?.pooling
        options.freeze = freeze
        options.layerDecay = layerDecay
        options.dropPath = dropPath
        options.patchDropout = patchDropout
        options.teacher = try teacher.map { try ModelLocation.find($0) }
        options.distillation = distillation
        if teacher == nil, distillation != nil {
            throw CommandFailure(.usage, "--distillation says how to learn from a --teacher, and none is named")
        }
    }
}

struct AugmentationOptions: ParsableArguments {
    @Option(help: "crop: random resized crops; or none. (default: crop)")
    var augment: RunSettings.Augment?

    @Option(help: FitHelp.text)
    var fit: RunSettings.Fit?

    @Option(help: "The least part of a picture's area that a crop takes. (default: 0.08)")
    var cropScale: Double?

    @Flag(inversion: .prefixedNo, help: "Mirror half of the pictures; not for charts and text. (default: --flip)")
    var flip: Bool?

    @Flag(inversion: .prefixedNo, help: "Turn pictures by quarters, for those from above. (default: --no-turn)")
    var turn: Bool?

    @Option(help: "RandAugment as timm writes it, or none. (default: m9-mstd0.5-inc1)")
    var randAugment: String?

    @Option(help: "The probability that a rectangle is erased. (default: 0.25)")
    var erasing: Double?

    @Option(help: "The α of mixup; 0 for none. (default: 0.8)")
    var mixup: Double?

    @Option(help: "The α of cutmix; 0 for none. (default: 1)")
    var cutmix: Double?

    @Option(help: "The part of each target that is spread over all classes. (default: 0.1)")
    var smoothing: Double?

    @Option(
        help: ArgumentHelp(
            "What the loss of each class is multiplied by: none, balanced, or a table label,weight. (default: none)",
            valueName: "weights"))
    var classWeights: String?

    @Option(help: "The part held out to choose the best model by, where the data name none. (default: 0.1 from 500 on)")
    var validationFraction: Double?

    func fill(_ options: inout FinetuningOptions) {
        options.augment = augment
        options.fit = fit
        options.cropScale = cropScale
        options.flips = flip
        options.turns = turn
        options.randAugment = randAugment
        options.erasing = erasing
        options.mixup = mixup
        options.cutmix = cutmix
        options.smoothing = smoothing
        options.classWeights = classWeights.map { $0 == "none" ? .none : $0 == "balanced" ? .balanced : .file($0) }
        options.validationFraction = validationFraction
    }
}

/// What the head reads, by the words of the command line.
enum HeadPooling: String, ExpressibleByArgument, CaseIterable {
    case `class`
    case mean

    var pooling: ViTConfiguration.Pooling { self == .class ? .classToken : .meanPatches }
}

extension FinetuningSettings.Distillation: ExpressibleByArgument {}
