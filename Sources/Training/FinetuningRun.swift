import Checkpoints
import Compute
import Datasets
import Models

/// A supervised training run from its first or its last checkpoint to its end.
public final class FinetuningRun {
    /// Every setting.
    public var settings: FinetuningSettings { trainer.settings }
    let trainer: FinetuningTrainer
    let validation: Validation?
    private let loop: TrainingLoop

    private init(_ beginning: RunBeginning, trainer: FinetuningTrainer, threads: Int) throws {
        self.trainer = trainer
        loop = try TrainingLoop(beginning, trainer: trainer, threads: threads)
        validation = Validation(beginning.dataset, settings: trainer.settings, threads: threads)
    }

    /// Trains to the end, or until the observer asks to stop.
    public func train() throws -> RunResult {
        try loop.train(self, augmentation: settings.trainingAugmentation)
    }
}

extension FinetuningRun: TrainingTask {
    /// After each epoch: how many of the held-out images are right. The best model so far becomes the result.
    func look(_ loop: TrainingLoop, isCheckpoint: Bool, stepsPerEpoch: Int) throws -> Bool {
        let step = loop.state.step
        guard step % stepsPerEpoch == 0 || step == settings.steps, let validation else { return false }
        let outcome = try validation.measure(trainer)
        let scores = outcome.scores
        guard scores.count > 0 else { return false }
        try loop.metrics.append(
            MetricsLine(
                step: step,
                values: [("validation_loss", scores.loss), ("validation_accuracy", scores.top1)]))
        let now = RunState.Best(step: step, accuracy: scores.top1, loss: scores.loss)
        let isBest = now.isBetter(than: loop.state.best)
        if isBest {
            loop.state.best = now
            try writeEvaluation(outcome, validation, loop)
            try trainer.export(to: loop.directory)
        }
        loop.observer.note(
            "epoch \(fixed(Double(step) / Double(stepsPerEpoch), 1)): \(fixed(100 * scores.top1, 2)) % of "
                + "\(scores.count) held-out pictures right, loss \(fixed(scores.loss, 4))"
                + (isBest ? ", the best so far" : ""))
        try writeReport(loop)
        return isBest
    }

    func finish(_ loop: TrainingLoop) throws {
        // Without images to choose by, the last model is the result.
        if Files.sort(loop.directory.model) != .directory { try trainer.export(to: loop.directory) }
        try writeReport(loop)
    }
}

extension FinetuningRun {
    /// Begins a run at `output`, or takes up the one that is there.
    ///
    /// Errors: `TrainingError`, `InputError` or `CheckpointError`, each a sentence with the file and the mend.
    /// - Parameters:
    ///   - resumes: whether a run at `output` is continued; where there is none, one begins.
    ///   - allowsChangedData: whether it may go on with other data than it began with.
    public static func open(
        _ options: FinetuningOptions, output: String, resumes: Bool, allowsChangedData: Bool = false,
        threads: Int? = nil, observer: RunObserver
    ) throws -> FinetuningRun {
        let directory = RunDirectory(path: output)
        if directory.isRun {
            try RunBeginning.refuse(directory, resumes: resumes)
            return try resume(
                options, directory, allowsChangedData: allowsChangedData, threads: threads, observer: observer)
        }
        let (settings, dataset, checkpoint) = try prepare(options)
        for note in dataset.notes { observer.note(note) }
        let engine = OneDNNEngine(threadCount: threads)
        let trainer = try begin(settings, checkpoint: checkpoint, engine: engine, observer: observer)
        let beginning = try RunBeginning(new: directory, settings: settings, dataset: dataset, observer: observer)
        return try FinetuningRun(beginning, trainer: trainer, threads: engine.threadCount)
    }

    /// A trainer with the weights of the first step.
    static func begin(
        _ settings: FinetuningSettings, checkpoint: Checkpoint?, engine: any TrainingEngine, observer: RunObserver
    ) throws -> FinetuningTrainer {
        let weights = InitialWeights(settings: settings, checkpoint: checkpoint)
        for note in weights.notes { observer.note(note) }
        if let obstacle = FinetuningTrainer.writer(settings).writer.huggingFaceObstacle {
            observer.note("transformers has no model with \(obstacle); the result will be in timm's layout")
        }
        return try FinetuningTrainer(settings, engine: engine) { try weights.fill($0) }
    }

    /// Reads the data and settles all settings; nothing is written.
    package static func prepare(
        _ options: FinetuningOptions
    ) throws -> (settings: FinetuningSettings, dataset: ImageDataset, checkpoint: Checkpoint?) {
        let checkpoint = try options.initial.map { try Checkpoint.open($0) }
        var fraction = options.validationFraction ?? 0
        var dataset = try read(options.data, fraction: fraction, seed: options.seed ?? 0)
        if options.validationFraction == nil, dataset.validation.isEmpty, dataset.training.count >= 500 {
            // Without images to choose the best model by, it would be the last one.
            fraction = 0.1
            dataset = try read(options.data, fraction: fraction, seed: options.seed ?? 0)
        }
        var options = options
        options.resolvedClassWeights = try options.classWeights?.resolve(dataset)
        let settings = try options.resolve(dataset, validationFraction: fraction, checkpoint: checkpoint)
        return (settings, dataset, checkpoint)
    }

    private static func read(_ path: String, fraction: Double, seed: UInt64) throws -> ImageDataset {
        var options = ImageDataset.Options()
        options.validationFraction = fraction
        options.seed = seed
        return try ImageDataset(at: path, options: options)
    }

    private static func resume(
        _ options: FinetuningOptions, _ directory: RunDirectory, allowsChangedData: Bool, threads: Int?,
        observer: RunObserver
    ) throws -> FinetuningRun {
        let lock = try directory.open()
        let recorded: FinetuningSettings = try RunBeginning.recorded(in: directory)
        let dataset = try read(options.data, fraction: recorded.validationFraction, seed: recorded.seed)
        for note in dataset.notes { observer.note(note) }
        guard dataset.classes == recorded.classes else {
            throw TrainingError(
                .malformed,
                "\(options.data): its classes are not those that the run at \(directory.path) was begun with; bring the "
                    + "old data back, or name another directory for a new run")
        }
        var options = options
        options.resolvedClassWeights = try options.classWeights?.resolve(dataset)
        let settings = try RunBeginning.agree(
            options, recorded, imageCount: dataset.training.count, directory, allowsChangedData: allowsChangedData)
        let beginning = try RunBeginning(
            resuming: directory, lock: lock, dataset: dataset, data: options.data,
            allowsChangedData: allowsChangedData, totalSteps: settings.steps, observer: observer)
        let engine = OneDNNEngine(threadCount: threads)
        let trainer: FinetuningTrainer
        if let place = beginning.checkpoint {
            trainer = try FinetuningTrainer(settings, engine: engine) { _ in }
            try trainer.parameters.restore(from: place)
        } else {
            let checkpoint = settings.initial.isEmpty ? nil : try Checkpoint.open(settings.initial)
            trainer = try begin(settings, checkpoint: checkpoint, engine: engine, observer: observer)
        }
        return try FinetuningRun(beginning, trainer: trainer, threads: engine.threadCount)
    }
}
