import ArgumentParser
import Training

struct PretrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pretrain",
        abstract: "Train a masked autoencoder on a folder of pictures.",
        discussion: """
            Examples:
              vit pretrain photos/ --output run --plan
              vit pretrain photos/ --output run --arch vit-small --epochs 400 --batch-size 64 --accumulate 16
              vit pretrain tiles/ --output run --width 192 --depth 6 --heads 3 --image-size 64 --patch-size 8
              vit pretrain photos/ --output run --init mae-base/ --epochs 100
              vit pretrain photos/ --output run --resume

            The pictures may have labels or none and lie in any folders. A run that is interrupted saves a checkpoint \
            and exits with 130 (or 143 when terminated); --resume continues it to the same weights. A loss that is no \
            number ends the run with 65. Pictures that cannot be read are named once and replaced by others; the exit \
            code is 1 then. The result is RUN/model, which transformers loads as ViTMAEForPreTraining.
            """)

    @Argument(help: "A folder of pictures, or a table with the columns path,label[,split].")
    var data: String

    @OptionGroup var place: RunPlaceOptions
    @OptionGroup(title: "Model") var encoder: EncoderOptions
    @OptionGroup(title: "Decoder") var decoder: DecoderOptions
    @OptionGroup(title: "Task and data") var task: PretrainingTaskOptions
    @OptionGroup(title: "Optimisation") var optimization: OptimizationOptions
    @OptionGroup(title: "Upkeep") var upkeep: UpkeepOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var shared: SharedOptions

    func run() throws {
        try TrainingCommand(place: place, isQuiet: shared.quiet) { observer in
            try RunPlan.pretraining(options(), threads: threads.threads, observer: observer)
        } train: { observer in
            try PretrainingRun.open(
                options(), output: place.output, resumes: place.resume, allowsChangedData: place.allowChangedData,
                threads: threads.threads, observer: observer
            ).train()
        }.run()
    }

    private func options() throws -> PretrainingOptions {
        var options = PretrainingOptions(data: data)
        try encoder.fill(&options.run)
        decoder.fill(&options)
        task.fill(&options)
        optimization.fill(&options.run)
        try upkeep.fill(&options.run)
        return options
    }
}
