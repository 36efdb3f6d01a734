import Communication
import Compute
import Datasets
import Models
import Support

/// What a run is, and what it would take if a few steps were timed: `--plan`.
public struct RunPlan: Sendable {
    /// The settings that every run has.
    public let run: RunSettings
    /// The processes that share a step.
    public internal(set) var processCount = 1
    /// Images to train on.
    public let imageCount: Int
    /// Images held out.
    public let validationCount: Int
    /// Steps per epoch.
    public let stepsPerEpoch: Int
    /// What a few steps took; nil: none was timed.
    public internal(set) var cost: Cost?
    /// The model in words.
    var model: String
    /// Its input in words.
    var input: String
    /// What else is worth knowing, a row each.
    var rows: [(title: String, text: String)] = []
    /// What often goes wrong, a sentence each.
    public internal(set) var warnings: [String] = []

    /// What steps take.
    public struct Cost: Sendable {
        /// The median of a few steps, after a first one.
        public let secondsPerStep: Double
        /// The most memory that the process held meanwhile, in bytes.
        public let peakMemory: Int
    }

    /// The plan for people.
    public var text: String { lines.map { printable($0) + "\n" }.joined() }

    /// The lines of the plan, which may hold names as they are.
    var lines: [String] {
        let own = run.accumulate / processCount
        let factors = [run.batchSize] + [own, processCount].filter { $0 > 1 }
        let parts = factors.count > 1 ? " (\(factors.map(String.init).joined(separator: " × ")))" : ""
        let epochs = fixed(Double(run.steps) / Double(max(1, stepsPerEpoch)), 1)
        let all: [(title: String, text: String)] =
            [
                ("images", "\(imageCount) to train on, \(validationCount) held out"), ("model", model),
                ("input", input), ("effective batch", "\(run.effectiveBatch)\(parts)"),
                (
                    "learning rate",
                    "\(Float(run.rate)), after a warm-up of \(run.warmupSteps) steps, then a cosine to \(run.minimumRate)"
                ),
            ] + rows + [
                ("steps", "\(run.steps) (\(stepsPerEpoch) per epoch, \(epochs) epochs)")
            ] + processRows + costRows + [
                (
                    "checkpoints",
                    "every \(run.checkpointEvery) steps, "
                        + (run.keep == 0 ? "all of them kept" : "the last \(run.keep) kept")
                )
            ]
        return all.map { Self.line($0.title, $0.text) } + warnings.map { "warning: \($0)" }
    }

    static func line(_ title: String, _ text: String) -> String {
        title + String(repeating: " ", count: max(1, 18 - title.count)) + text
    }

    private var processRows: [(title: String, text: String)] {
        if run.accumulate == 1 { return [] }
        return [("processes", "\(processCount); \(run.processCountsText) give the same weights")]
    }

    private var costRows: [(title: String, text: String)] {
        guard let cost else { return [] }
        let imagesPerSecond = Double(run.effectiveBatch) / max(cost.secondsPerStep, 1e-9)
        return [
            ("memory", "\(fixed(Double(cost.peakMemory) / 1e9, 2)) GB"),
            (
                "time",
                "\(Self.duration(cost.secondsPerStep * Double(run.steps))) (\(fixed(cost.secondsPerStep, 2)) s per step, "
                    + "\(fixed(imagesPerSecond, 0)) images/s)"
            ),
        ]
    }

    /// Days, hours, minutes or seconds, whichever suits.
    package static func duration(_ seconds: Double) -> String {
        if seconds >= 172_800 { return "\(fixed(seconds / 86_400, 1)) days" }
        if seconds >= 7_200 { return "\(fixed(seconds / 3600, 1)) hours" }
        if seconds >= 120 { return "\(fixed(seconds / 60, 0)) minutes" }
        return "\(fixed(seconds, 0)) seconds"
    }
}

extension TrainingOptions {
    /// What a run of these options would take: reads the data, builds the model and times a few steps.
    public func plan(threads: Int? = nil, observer: RunObserver) throws -> RunPlan {
        try plan(threads: threads, observer: observer, among: SingleProcess())
    }

    /// The same for a run that processes share.
    package func plan(threads: Int?, observer: RunObserver, among communicator: any Communicator) throws -> RunPlan {
        try timed(threads: threads, observer: observer, among: communicator)
            .measuredPlan(threads: threads, observer: observer, among: communicator)
    }

    /// The same with a number of steps in the place of minutes, from a few timed steps.
    func timed(threads: Int?, observer: RunObserver, among communicator: any Communicator) throws -> Self {
        var options = self
        options.processCount = communicator.count
        try check()
        guard given.contains("minutes"), let minutes = settings.request.minutes else { return options }
        var quiet = RunObserver()
        quiet.shouldStop = observer.shouldStop
        options.minutes = nil
        // A warm-up of some epochs must fit in; the number does not matter otherwise.
        options.steps = 1_000_000
        let cost = try options.measuredPlan(threads: threads, observer: quiet, among: communicator).cost
        var pace = PackedMessage()
        pace.append(cost?.secondsPerStep ?? 0)
        // Each process has timed its own steps; the first one's decide.
        pace = PackedMessage(communicator.broadcast(pace.bytes))
        let seconds = pace.double()
        let steps = max(1, min(1e9, (60 * minutes / max(seconds, 1e-6)).rounded(.down)))
        options.steps = Int(steps)
        observer.note("\(fixed(minutes, 1)) minutes are \(Int(steps)) steps of \(fixed(seconds, 3)) s each")
        return options
    }

    private func measuredPlan(
        threads: Int?, observer: RunObserver, among communicator: any Communicator
    ) throws -> RunPlan {
        let resolved = try resolve()
        let (settings, dataset, checkpoint) = (resolved.settings, resolved.dataset, resolved.checkpoint)
        for note in resolved.notes { observer.note(note) }
        let engine = Engines.make(threads: threads)
        if let shortage = engine.shortage(of: threads) { observer.note(shortage) }
        let method = try method.init(
            settings, start: checkpoint.map { .checkpoint($0) } ?? .random, dataset: dataset, engine: engine,
            note: observer.note)
        let exchange = StepExchange(communicator, shouldStop: observer.shouldStop, report: observer.unreadable)
        let sums = GradientSums(
            method.parameters, passCount: settings.run.accumulate, communicator: communicator)
        let loader = try method.loader(dataset, among: communicator) { exchange.meet($0) }
        var times: [Double] = []
        let clock = ContinuousClock()
        for step in 0..<4 where !exchange.stops {
            let time = try clock.measure { _ = try method.step(step, loader, sums: sums, exchange: exchange) }
            if step > 0 { times.append(time / .seconds(1)) }
        }
        // Decoded images are kept at their own size, which is not known; the model's is a guess at it.
        let size = settings.encoder.imageSize
        let pixels = size.height * size.width * settings.encoder.inputChannels
        let cache = min(settings.run.cacheMemory, dataset.training.count * pixels)
        var plan = method.plan(dataset, given: given, processCount: processCount)
        plan.cost = RunPlan.Cost(
            secondsPerStep: times.isEmpty ? 0 : times.sorted()[times.count / 2],
            peakMemory: PeakMemory.bytes + cache)
        return plan
    }
}

extension TrainingMethod {
    /// What the run is, without the time that it takes; `given`: the names of the options that were asked for.
    func plan(_ dataset: ImageDataset, given: Set<String>, processCount: Int) -> RunPlan {
        let (run, encoder) = (settings.run, settings.encoder)
        let count = fixed(Double(parameters.store.parameterCount) / 1e6, 2)
        var plan = RunPlan(
            run: run, imageCount: dataset.training.count, validationCount: dataset.validation.count,
            stepsPerEpoch: dataset.training.count / run.effectiveBatch,
            model: "\(count) M parameters, width \(encoder.width), depth \(encoder.depth), heads \(encoder.heads)",
            input: "\(encoder.imageSize.text) pixels, \(encoder.inputChannels) channels, "
                + "\(encoder.patchCount) patches of \(encoder.patchSize.text)")
        plan.processCount = processCount
        if run.warmupSteps >= run.steps {
            plan.warnings.append(
                "The warm-up takes the whole run; a smaller --warmup-epochs lets the learning rate reach its peak.")
        }
        describe(&plan, dataset: dataset, given: given)
        return plan
    }
}
