import ArgumentParser
import Communication
import LibC
import Support
import Training

/// A command that trains by one of its methods.
protocol TrainingCommand: ParsableCommand {
    /// The default first.
    static var methods: [any TrainingMethod.Type] { get }
    static var dataHelp: String { get }
    /// The heading of the options that belong to a method.
    static var methodHeading: String { get }
}

/// The arguments of a training command: where the run is, and what is asked for of it.
struct TrainingArguments<Command: TrainingCommand>: ParsableArguments {
    @Argument(help: ArgumentHelp(stringLiteral: Command.dataHelp))
    var data: String

    @Option(name: .shortAndLong, help: ArgumentHelp("Directory of the run.", valueName: "run"))
    var output: String

    @Flag(help: "Continue the run at --output, or begin it if there is none.")
    var resume = false

    @Flag(help: "Print what the run would take, from a few timed steps, and train nothing.")
    var plan = false

    @Flag(help: "Continue even if the data have changed.")
    var allowChangedData = false

    // The numbers are those of `OptionDescription.Heading`.
    @OptionGroup(title: "Model") var model: OptionTable<Command, 0>
    @OptionGroup(title: Command.methodHeading) var method: OptionTable<Command, 1>
    @OptionGroup(title: "Data") var images: OptionTable<Command, 2>
    @OptionGroup(title: "Optimization") var optimization: OptionTable<Command, 3>
    @OptionGroup(title: "Checkpoints and logs") var upkeep: OptionTable<Command, 4>
    @OptionGroup var hub: HubOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var shared: SharedOptions

    /// Trains by the method of that name; nil: that of the run to resume, else the default.
    func run(method name: String? = nil) throws {
        let name = try name ?? (resume ? try RunDirectory(path: output).method : nil)
        let method = Command.methods.first { $0.name == name } ?? Command.methods[0]
        try run(method)
    }

    private func run<Method: TrainingMethod>(_ method: Method.Type) throws {
        // Before signals are taken as requests to stop the training, so that they end a download.
        let given = try (model.given + self.method.given + images.given + optimization.given + upkeep.given).map {
            option, text in
            let isModel = option.form == .checkpoint
            return (option, isModel ? try ModelLocation.find(text, hub: hub, isQuiet: shared.quiet) : text)
        }
        let stop = StopRequest.watch(
            announcing: plan ? "Stopping after the step that is being timed" : "Stopping after a checkpoint")
        var options = TrainingOptions(method, data: data)
        options.command = shellCommand(["vit"] + CommandLine.arguments.dropFirst())
        for (option, text) in given {
            // What is switched off by default may be declared by other methods alone.
            guard options.set(option.name, to: text) || option.form == .flag && text == "false" else {
                throw CommandFailure(.usage, "--\(option.name) is not an option of the method \(method.name)")
            }
        }
        try Processes.run { communicator in
            try plan ? printPlan(options, stop, communicator) : train(options, stop, communicator)
        }
    }

    private func printPlan<Own>(
        _ options: TrainingOptions<Own>, _ stop: StopRequest, _ communicator: any Communicator
    ) throws {
        let reporter = RunReporter(isShown: !shared.quiet)
        let plan = try options.plan(
            threads: threads.count, observer: reporter.observer(stop, communicator),
            among: communicator)
        stop.exitIfAsked()
        guard communicator.isFirst else { return }
        let output = StandardOutput()
        try output.write(plan.text)
        try output.flush()
    }

    private func train<Own>(
        _ options: TrainingOptions<Own>, _ stop: StopRequest, _ communicator: any Communicator
    ) throws {
        let reporter = RunReporter(isShown: !shared.quiet)
        let result = try TrainingRun.open(
            options, output: output, resumes: resume, allowsChangedData: allowChangedData,
            threads: threads.count, observer: reporter.observer(stop, communicator),
            among: communicator
        ).train()
        reporter.clear()
        if !result.isComplete {
            if communicator.isFirst {
                StandardError.report("\(output): stopped after step \(result.step); continue with --resume")
            }
            // Where another process was asked, this one was not.
            throw CommandFailure(Signals.status(of: stop.signal ?? SIGTERM))
        }
        guard result.unreadable.isEmpty else {
            throw CommandFailure(
                .someInputsFailed,
                "\(result.unreadable.count) of the images could not be read and were replaced by others")
        }
    }
}
