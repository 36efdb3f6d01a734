import Checkpoints
import Compute
import Datasets
import Models
import Support

/// A supervised training run from its first or its last checkpoint to its end.
public final class FinetuningRun {
    /// Every setting.
    public var settings: FinetuningSettings { trainer.settings }
    let trainer: FinetuningTrainer
    let validation: Validation?
    private let loop: TrainingLoop

    private init(_ made: MadeRun<FinetuningTrainer>) throws {
        trainer = made.trainer
        loop = try TrainingLoop(made.beginning, trainer: trainer, threads: made.threads)
        validation = Validation(made.beginning.dataset, settings: trainer.settings, threads: made.threads)
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
        try loop.report(outcome.unreadable)
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
        if Files.kind(of: loop.directory.model) != .directory { try trainer.export(to: loop.directory) }
        try writeReport(loop)
    }
}

extension FinetuningRun: RunMaker {
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
        try FinetuningRun(
            make(
                options, output: output, resumes: resumes, allowsChangedData: allowsChangedData, threads: threads,
                observer: observer))
    }

    /// The settings of a new run; the data are read, and nothing is written.
    package static func settings(for options: FinetuningOptions) throws -> FinetuningSettings {
        try prepare(options).settings
    }

    static var requiresLabels: Bool { true }

    /// Without images to choose the best model by, it would be the last one.
    static var defaultHoldout: (fraction: Double, imageCount: Int) { (0.1, 500) }

    static func resolve(
        _ options: FinetuningOptions, _ dataset: ImageDataset, fraction: Double, checkpoint: Checkpoint?
    ) throws -> FinetuningSettings {
        var options = options
        options.resolvedClassWeights = try options.classWeights?.resolve(dataset)
        return try options.resolve(dataset, validationFraction: fraction, checkpoint: checkpoint)
    }

    static func complete(
        _ options: FinetuningOptions, _ dataset: ImageDataset, _ recorded: FinetuningSettings
    ) throws -> FinetuningOptions {
        guard dataset.classes == recorded.classes else {
            throw TrainingError(
                .malformed,
                "\(options.data): its classes are not those that the run was begun with; bring the old data back, or name "
                    + "another directory for a new run")
        }
        var options = options
        options.resolvedClassWeights = try options.classWeights?.resolve(dataset)
        return options
    }

    static func begin(
        _ settings: FinetuningSettings, checkpoint: Checkpoint?, engine: any Engine, observer: RunObserver
    ) throws -> FinetuningTrainer {
        let weights = InitialWeights(settings: settings, checkpoint: checkpoint)
        for note in weights.notes { observer.note(note) }
        if let obstacle = FinetuningTrainer.writer(settings).writer.huggingFaceObstacle {
            observer.note("transformers has no model with \(obstacle); the result will be in timm's layout")
        }
        return try FinetuningTrainer(settings, engine: engine) { try weights.fill($0) }
    }

    static func restore(
        _ settings: FinetuningSettings, from directory: String, engine: any Engine
    ) throws -> FinetuningTrainer {
        let trainer = try FinetuningTrainer(settings, engine: engine) { _ in }
        try trainer.parameters.restore(from: directory)
        return trainer
    }
}
