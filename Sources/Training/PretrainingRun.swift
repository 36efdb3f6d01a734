import Checkpoints
import Compute
import Datasets
import Models

/// A pre-training run from its first or its last checkpoint to its end.
public final class PretrainingRun {
    /// How far a run is.
    public struct Progress: Sendable {
        /// Steps done.
        public let step: Int
        /// Steps of the whole run.
        public let totalSteps: Int
        /// Steps of an epoch.
        public let stepsPerEpoch: Int
        /// The loss of the last step.
        public let loss: Double
        /// Since this process began to train.
        public let imagesPerSecond: Double
        /// Until the last step, at this pace.
        public let secondsLeft: Double
    }

    /// What a run tells while it goes on.
    public struct Observer {
        /// After each step.
        public var progress: (Progress) -> Void = { _ in }
        /// A sentence about the run.
        public var note: (String) -> Void = { _ in }
        /// A file that cannot be read, the first time it is met.
        public var unreadable: (BatchLoader.Unreadable) -> Void = { _ in }
        /// Whether the run is to stop at the next step, with a checkpoint.
        public var shouldStop: () -> Bool = { false }

        /// Says nothing and never stops.
        public init() {}
    }

    /// How a run ended.
    public struct Result: Sendable {
        /// Steps done.
        public let step: Int
        /// Whether these are all.
        public let isComplete: Bool
        /// All files that could not be read.
        public let unreadable: [BatchLoader.Unreadable]
    }

    /// Every setting.
    public let settings: PretrainingSettings
    let directory: RunDirectory
    let trainer: MAETrainer
    let dataset: ImageDataset
    let observer: Observer
    let threads: Int
    var state: RunState
    let metrics: MetricsLog
    let validation: FixedImages
    let shown: FixedImages
    private let lock: RunLock

    init(
        settings: PretrainingSettings, directory: RunDirectory, lock: RunLock, trainer: MAETrainer,
        dataset: ImageDataset, state: RunState, threads: Int, observer: Observer
    ) throws {
        self.settings = settings
        self.directory = directory
        self.lock = lock
        self.trainer = trainer
        self.dataset = dataset
        self.state = state
        self.threads = threads
        self.observer = observer
        metrics = try MetricsLog(directory, upTo: state.step)
        validation = FixedImages(dataset, part: .validation, limit: 256, settings: settings)
        // Without held-out images, those of the training have to do for the eye.
        let part = dataset.validation.isEmpty ? ImageDataset.Part.training : .validation
        shown = FixedImages(dataset, part: part, limit: 8, settings: settings)
    }

    /// The batches of a run from step `step` on.
    static func loader(
        _ dataset: ImageDataset, settings: PretrainingSettings, threads: Int, from step: Int = 0,
        unreadable: [BatchLoader.Unreadable] = [], report: @escaping (BatchLoader.Unreadable) -> Void
    ) throws -> BatchLoader {
        var options = BatchLoader.Options(
            batchSize: settings.batchSize, augmentation: settings.trainingAugmentation,
            normalization: settings.preprocessing)
        options.accumulate = settings.accumulate
        options.seed = settings.seed
        options.decoding.channels = settings.channels
        options.threads = threads
        options.cacheMemory = settings.cacheMemory
        options.isStrict = settings.isStrict
        return try BatchLoader(
            dataset, options: options, startingAt: step, unreadable: unreadable, report: report)
    }

    /// Trains to the end, or until the observer asks to stop.
    public func train() throws -> Result {
        if state.step >= settings.steps {
            if Files.sort(directory.model) != .directory { try trainer.export(to: directory) }
            try writeReport()
            observer.note("\(directory.path): all \(state.step) steps are done")
            return result
        }
        let loader = try Self.loader(
            dataset, settings: settings, threads: threads, from: state.step, unreadable: state.unreadable,
            report: observer.unreadable)
        var pace = Pace(imagesPerStep: settings.effectiveBatch)
        while state.step < settings.steps {
            if observer.shouldStop() {
                // With no step done there is nothing that a resumed run could not begin again.
                if state.step > 0 { try saveCheckpoint() }
                return result
            }
            try takeStep(loader, &pace)
        }
        try trainer.export(to: directory)
        return result
    }

    private var result: Result {
        Result(step: state.step, isComplete: state.step >= settings.steps, unreadable: state.unreadable)
    }

    private func takeStep(_ loader: BatchLoader, _ pace: inout Pace) throws {
        let outcome = try trainer.step(state.step) { try loader.next() }
        guard outcome.isFinite else { throw divergence(outcome) }
        state.step += 1
        state.lossSum += outcome.loss
        state.lossCount += 1
        state.unreadable = loader.unreadable
        pace.step()
        let isLast = state.step == settings.steps
        let isCheckpoint = isLast || state.step % settings.checkpointEvery == 0
        if isLast || state.step % settings.logEvery == 0 { try log(outcome, loader.plan, &pace) }
        observer.progress(
            Progress(
                step: state.step, totalSteps: settings.steps, stepsPerEpoch: loader.plan.stepsPerEpoch,
                loss: outcome.loss, imagesPerSecond: pace.imagesPerSecond,
                secondsLeft: pace.secondsPerStep * Double(settings.steps - state.step)))
        if isCheckpoint {
            try evaluate()
            try saveCheckpoint()
        }
    }

    private func log(_ outcome: MAETrainer.Outcome, _ plan: EpochPlan, _ pace: inout Pace) throws {
        try metrics.append(
            MetricsLine(
                step: state.step,
                values: [
                    ("epoch", Double(state.step) / Double(plan.stepsPerEpoch)),
                    ("loss", state.lossSum / Double(state.lossCount)), ("lr", outcome.rate),
                    ("gradient_norm", outcome.gradientNorm), ("images_per_second", pace.lap()),
                ]))
        state.lossSum = 0
        state.lossCount = 0
    }

    /// The validation loss and the pictures of the report.
    private func evaluate() throws {
        if let loss = validation.loss(trainer) {
            try metrics.append(MetricsLine(step: state.step, values: [("validation_loss", loss)]))
        }
        try writePictures()
        try writeReport()
    }

    private func saveCheckpoint() throws {
        if Files.sort(directory.checkpoint(state.step)) != .directory { try trainer.save(state, to: directory) }
        directory.keepCheckpoints(settings.keep)
    }

    private func divergence(_ outcome: MAETrainer.Outcome) -> TrainingError {
        let what =
            outcome.loss.isFinite ? "the gradient's norm is \(outcome.gradientNorm)" : "the loss is \(outcome.loss)"
        let good = directory.checkpointSteps.last.map { "the last good checkpoint is \(directory.checkpoint($0))" }
        return TrainingError(
            .malformed,
            "\(directory.path): \(what) in step \(state.step + 1), whose batch has the files "
                + "\(outcome.paths.joined(separator: ", ")); \(good ?? "there is no checkpoint yet"); a smaller --blr, a "
                + "longer warm-up or --clip 1 often helps")
    }
}

/// How fast the steps go.
struct Pace {
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private var lapStart: ContinuousClock.Instant
    private let imagesPerStep: Int
    private var steps = 0
    private var lapSteps = 0

    init(imagesPerStep: Int) {
        self.imagesPerStep = imagesPerStep
        start = clock.now
        lapStart = start
    }

    mutating func step() {
        steps += 1
        lapSteps += 1
    }

    var secondsPerStep: Double { (clock.now - start) / .seconds(1) / Double(max(1, steps)) }
    var imagesPerSecond: Double { Double(imagesPerStep) / max(secondsPerStep, 1e-9) }

    /// Images a second since the last lap, which ends here.
    mutating func lap() -> Double {
        let now = clock.now
        let seconds = (now - lapStart) / .seconds(1)
        defer { (lapStart, lapSteps) = (now, 0) }
        return Double(lapSteps * imagesPerStep) / max(seconds, 1e-9)
    }
}
