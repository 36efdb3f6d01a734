import ArgumentParser
import Training

/// Where a run is and what is to become of it, as every training command takes it.
struct RunPlaceOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: ArgumentHelp("The directory of the run.", valueName: "run"))
    var output: String

    @Flag(help: "Continue the run at --output, or begin it where there is none.")
    var resume = false

    @Flag(help: "Print what the run would be, with memory and time from a few timed steps, and train nothing.")
    var plan = false

    @Flag(help: "Continue although the data have changed.")
    var allowChangedData = false
}

/// The way of a training command: a plan, or a run that tells of itself and stops in order.
struct TrainingCommand {
    let place: RunPlaceOptions
    let isQuiet: Bool
    /// The plan of the run.
    let plan: (RunObserver) throws -> RunPlan
    /// Opens the run and trains.
    let train: (RunObserver) throws -> RunResult

    func run() throws {
        let stop = StopRequest.watch()
        do {
            try place.plan ? printPlan(stop) : train(stop)
        } catch let error as TrainingError {
            throw CommandFailure(ExitStatus(error.kind), error.description)
        }
    }

    private func observer(_ teller: RunTeller, _ stop: StopRequest) -> RunObserver {
        var observer = RunObserver()
        observer.progress = { teller.tell($0) }
        observer.note = { teller.note($0) }
        observer.unreadable = { teller.warn("\($0.path): \($0.reason)") }
        observer.shouldStop = { stop.signal != nil }
        return observer
    }

    private func printPlan(_ stop: StopRequest) throws {
        let plan = try plan(observer(RunTeller(isShown: !isQuiet), stop))
        stop.exitIfAsked()
        let output = StandardOutput()
        try output.write(plan.text)
        try output.flush()
    }

    private func train(_ stop: StopRequest) throws {
        let teller = RunTeller(isShown: !isQuiet)
        let result = try train(observer(teller, stop))
        teller.clear()
        if !result.isComplete {
            StandardError.write("\(place.output): stopped after step \(result.step); continue with --resume\n")
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
