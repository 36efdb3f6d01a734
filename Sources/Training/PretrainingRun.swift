import Checkpoints
import Compute
import Datasets
import Models
import Support

/// A pre-training run from its first or its last checkpoint to its end.
public final class PretrainingRun {
    /// Every setting.
    public var settings: PretrainingSettings { trainer.settings }
    let trainer: MAETrainer
    private let loop: TrainingLoop
    private let validation: FixedImages
    let shown: FixedImages

    private init(_ made: MadeRun<MAETrainer>) throws {
        trainer = made.trainer
        loop = try TrainingLoop(made.beginning, trainer: trainer, threads: made.threads)
        let dataset = made.beginning.dataset
        validation = FixedImages(dataset, part: .validation, limit: 256, settings: trainer.settings)
        // Without held-out images, those of the training have to do for the eye.
        let part = dataset.validation.isEmpty ? ImageDataset.Part.training : .validation
        shown = FixedImages(dataset, part: part, limit: 8, settings: trainer.settings)
    }

    /// Trains to the end, or until the observer asks to stop.
    public func train() throws -> RunResult {
        try loop.train(self, augmentation: settings.trainingAugmentation)
    }
}

extension PretrainingRun: TrainingTask {
    /// At each checkpoint: the validation loss and the pictures of the report.
    func look(_ loop: TrainingLoop, isCheckpoint: Bool, stepsPerEpoch: Int) throws -> Bool {
        guard isCheckpoint else { return false }
        if let loss = validation.loss(trainer) {
            try loop.metrics.append(MetricsLine(step: loop.state.step, values: [("validation_loss", loss)]))
        }
        try writePictures(loop)
        try writeReport(loop)
        return false
    }

    func finish(_ loop: TrainingLoop) throws {
        if Files.kind(of: loop.directory.model) != .directory { try trainer.export(to: loop.directory) }
        try writeReport(loop)
    }
}

extension PretrainingRun: RunMaker {
    /// Begins a run at `output`, or takes up the one that is there.
    ///
    /// Errors: `TrainingError`, `InputError` or `CheckpointError`, each a sentence with the file and the mend.
    /// - Parameters:
    ///   - resumes: whether a run at `output` is continued; where there is none, one begins.
    ///   - allowsChangedData: whether it may go on with other data than it began with.
    public static func open(
        _ options: PretrainingOptions, output: String, resumes: Bool, allowsChangedData: Bool = false,
        threads: Int? = nil, observer: RunObserver
    ) throws -> PretrainingRun {
        try PretrainingRun(
            make(
                options, output: output, resumes: resumes, allowsChangedData: allowsChangedData, threads: threads,
                observer: observer))
    }

    /// The settings of a new run; the data are read, and nothing is written.
    package static func settings(for options: PretrainingOptions) throws -> PretrainingSettings {
        try prepare(options).settings
    }

    static var requiresLabels: Bool { false }

    /// A hundredth of a large set is enough to watch over the training, and is not missed by it.
    static var defaultHoldout: (fraction: Double, imageCount: Int) { (0.01, 1000) }

    static func resolve(
        _ options: PretrainingOptions, _ dataset: ImageDataset, fraction: Double, checkpoint: Checkpoint?
    ) throws -> PretrainingSettings {
        let channels = options.channels ?? (checkpoint == nil ? ImageChannels.common(in: dataset) : 3)
        return try options.resolve(
            imageCount: dataset.training.count, channels: channels, validationFraction: fraction,
            checkpoint: checkpoint)
    }

    static func complete(
        _ options: PretrainingOptions, _ dataset: ImageDataset, _ recorded: PretrainingSettings
    ) -> PretrainingOptions { options }

    static func begin(
        _ settings: PretrainingSettings, checkpoint: Checkpoint?, engine: any Engine, observer: RunObserver
    ) throws -> MAETrainer {
        try MAETrainer.begin(settings, checkpoint: checkpoint, engine: engine)
    }

    static func restore(
        _ settings: PretrainingSettings, from directory: String, engine: any Engine
    ) throws -> MAETrainer {
        try MAETrainer.resume(settings, from: directory, engine: engine)
    }
}
