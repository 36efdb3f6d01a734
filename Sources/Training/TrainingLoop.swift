import Checkpoints
import Datasets
import Support

/// What the kinds of run do differently between their steps.
protocol TrainingTask: AnyObject {
    /// Looks at the model and tells the metrics and the report about it, where it is time to.
    ///
    /// - Returns: whether this step deserves a checkpoint, whatever the rhythm of them.
    func look(_ loop: TrainingLoop, isCheckpoint: Bool, stepsPerEpoch: Int) throws -> Bool
    /// Writes the result, when all steps are done; also where they were done before.
    func finish(_ loop: TrainingLoop) throws
}

/// The way of any run from its first or its last checkpoint to its end.
final class TrainingLoop {
    let directory: RunDirectory
    let dataset: ImageDataset
    let observer: RunObserver
    let threads: Int
    let metrics: MetricsLog
    var state: RunState
    private let trainer: any Trainer
    private let lock: FileLock
    /// Files outside of the training part that were named as unreadable.
    private var heldOutUnreadable: [BatchLoader.Unreadable] = []

    private var settings: RunSettings { trainer.run }

    init(_ beginning: RunBeginning, trainer: any Trainer, threads: Int) throws {
        directory = beginning.directory
        lock = beginning.lock
        dataset = beginning.dataset
        observer = beginning.observer
        state = beginning.state
        self.trainer = trainer
        self.threads = threads
        metrics = try MetricsLog(directory, upTo: state.step)
    }

    /// The batches of a run from step `step` on.
    static func loader(
        _ dataset: ImageDataset, settings: RunSettings, augmentation: Augmentation, threads: Int, from step: Int = 0,
        unreadable: [BatchLoader.Unreadable] = [], report: @escaping (BatchLoader.Unreadable) -> Void
    ) throws -> BatchLoader {
        var options = BatchLoader.Options(
            batchSize: settings.batchSize, augmentation: augmentation, normalization: settings.preprocessing)
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
    func train(_ task: any TrainingTask, augmentation: Augmentation) throws -> RunResult {
        if state.step >= settings.steps {
            try task.finish(self)
            observer.note("\(directory.path): all \(state.step) steps are done")
            return result
        }
        let loader = try Self.loader(
            dataset, settings: settings, augmentation: augmentation, threads: threads, from: state.step,
            unreadable: state.unreadable, report: observer.unreadable)
        var pace = Pace(imagesPerStep: settings.effectiveBatch)
        while state.step < settings.steps {
            if observer.shouldStop() {
                // With no step done there is nothing that a resumed run could not begin again.
                if state.step > 0 { try saveCheckpoint() }
                return result
            }
            try takeStep(task, loader, &pace)
        }
        try task.finish(self)
        return result
    }

    private var result: RunResult {
        RunResult(
            step: state.step, isComplete: state.step >= settings.steps,
            unreadable: state.unreadable + heldOutUnreadable)
    }

    /// Names files outside of the training part that could not be read, each once.
    func report(_ unreadable: [BatchLoader.Unreadable]) throws(TrainingError) {
        for file in unreadable where !heldOutUnreadable.contains(file) {
            heldOutUnreadable.append(file)
            if settings.isStrict { throw TrainingError(.malformed, "\(file.path): \(file.reason)") }
            observer.unreadable(file)
        }
    }

    private func takeStep(_ task: any TrainingTask, _ loader: BatchLoader, _ pace: inout Pace) throws {
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
            RunProgress(
                step: state.step, totalSteps: settings.steps, stepsPerEpoch: loader.plan.stepsPerEpoch,
                loss: outcome.loss, imagesPerSecond: pace.imagesPerSecond,
                secondsLeft: pace.secondsPerStep * Double(settings.steps - state.step)))
        let isNotable = try task.look(
            self, isCheckpoint: isCheckpoint, stepsPerEpoch: loader.plan.stepsPerEpoch)
        if isCheckpoint || isNotable { try saveCheckpoint() }
    }

    private func log(_ outcome: StepOutcome, _ plan: EpochPlan, _ pace: inout Pace) throws {
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

    private func saveCheckpoint() throws {
        if Files.kind(of: directory.checkpoint(state.step)) != .directory { try trainer.save(state, to: directory) }
        directory.keepCheckpoints(settings.keep, best: state.best?.step)
    }

    private func divergence(_ outcome: StepOutcome) -> TrainingError {
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
