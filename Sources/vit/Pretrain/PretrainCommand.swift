import ArgumentParser
import Training

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

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

    @Option(name: .shortAndLong, help: ArgumentHelp("The directory of the run.", valueName: "run"))
    var output: String

    @Flag(help: "Continue the run at --output, or begin it where there is none.")
    var resume = false

    @Flag(help: "Print what the run would be, with memory and time from a few timed steps, and train nothing.")
    var plan = false

    @Flag(help: "Continue although the data have changed.")
    var allowChangedData = false

    @OptionGroup(title: "Model") var model: PretrainingModelOptions
    @OptionGroup(title: "Task and data") var task: PretrainingTaskOptions
    @OptionGroup(title: "Optimisation") var optimization: PretrainingOptimizationOptions
    @OptionGroup(title: "Upkeep") var upkeep: PretrainingUpkeepOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var shared: SharedOptions

    func run() throws {
        let stop = StopRequest.watch()
        do {
            try plan ? printPlan(stop) : train(stop)
        } catch let error as TrainingError {
            throw CommandFailure(ExitStatus(error.kind), error.description)
        }
    }

    private func options() throws -> PretrainingOptions {
        var options = PretrainingOptions(data: data)
        try model.fill(&options)
        task.fill(&options)
        optimization.fill(&options)
        try upkeep.fill(&options)
        return options
    }

    private func printPlan(_ stop: StopRequest) throws {
        var observer = PretrainingRun.Observer()
        observer.shouldStop = { stop.signal != nil }
        let plan = try PretrainingPlan(options(), threads: threads.threads, observer: observer)
        stop.exitIfAsked()
        let output = StandardOutput()
        try output.write(plan.text)
        try output.flush()
    }

    private func train(_ stop: StopRequest) throws {
        let teller = PretrainingProgress(isShown: !shared.quiet)
        var observer = PretrainingRun.Observer()
        observer.progress = { teller.tell($0) }
        observer.note = { teller.note($0) }
        observer.unreadable = { teller.warn("\($0.path): \($0.reason)") }
        observer.shouldStop = { stop.signal != nil }
        let run = try PretrainingRun.open(
            options(), output: output, resumes: resume, allowsChangedData: allowChangedData,
            threads: threads.threads, observer: observer)
        let result = try run.train()
        teller.clear()
        if !result.isComplete {
            StandardError.write("\(output): stopped after step \(result.step); continue with --resume\n")
            stop.exitIfAsked()
        }
        guard result.unreadable.isEmpty else {
            throw CommandFailure(
                .someInputsFailed,
                "\(result.unreadable.count) of the pictures could not be read and were replaced by others")
        }
    }
}

extension ExitStatus {
    fileprivate init(_ kind: TrainingError.Kind) {
        self =
            switch kind {
            case .usage: .usage
            case .malformed: .malformedData
            case .missing: .noSuchInput
            case .cannotCreate: .cannotCreateOutput
            case .inputOutput: .inputOutput
            }
    }
}
