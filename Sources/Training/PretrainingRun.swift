import Checkpoints
import Compute
import Datasets
import Models

/// A pre-training run from its first or its last checkpoint to its end.
public final class PretrainingRun {
    /// Every setting.
    public var settings: PretrainingSettings { trainer.settings }
    let trainer: MAETrainer
    private let loop: TrainingLoop
    private let validation: FixedImages
    let shown: FixedImages

    private init(_ beginning: RunBeginning, trainer: MAETrainer, threads: Int) throws {
        self.trainer = trainer
        loop = try TrainingLoop(beginning, trainer: trainer, threads: threads)
        let dataset = beginning.dataset
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
        if Files.sort(loop.directory.model) != .directory { try trainer.export(to: loop.directory) }
        try writeReport(loop)
    }
}

extension PretrainingRun {
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
        let directory = RunDirectory(path: output)
        if directory.isRun {
            try RunBeginning.refuse(directory, resumes: resumes)
            return try resume(
                options, directory, allowsChangedData: allowsChangedData, threads: threads, observer: observer)
        }
        let (settings, dataset, checkpoint) = try prepare(options)
        for note in dataset.notes { observer.note(note) }
        let engine = OneDNNEngine(threadCount: threads)
        let trainer = try MAETrainer.begin(settings, checkpoint: checkpoint, engine: engine)
        let beginning = try RunBeginning(new: directory, settings: settings, dataset: dataset, observer: observer)
        return try PretrainingRun(beginning, trainer: trainer, threads: engine.threadCount)
    }

    /// Reads the data and settles all settings; nothing is written.
    package static func prepare(
        _ options: PretrainingOptions
    ) throws -> (settings: PretrainingSettings, dataset: ImageDataset, checkpoint: Checkpoint?) {
        let checkpoint = try options.initial.map { try Checkpoint.open($0) }
        var fraction = options.validationFraction ?? 0
        var dataset = try read(options.data, fraction: fraction, seed: options.seed ?? 0)
        if options.validationFraction == nil, dataset.validation.isEmpty, dataset.training.count >= 1000 {
            // A hundredth of a large set is enough to watch over the training, and is not missed by it.
            fraction = 0.01
            dataset = try read(options.data, fraction: fraction, seed: options.seed ?? 0)
        }
        let channels = options.channels ?? (checkpoint == nil ? ImageChannels.common(in: dataset) : 3)
        let settings = try options.resolve(
            imageCount: dataset.training.count, channels: channels, validationFraction: fraction,
            checkpoint: checkpoint)
        return (settings, dataset, checkpoint)
    }

    private static func read(_ path: String, fraction: Double, seed: UInt64) throws -> ImageDataset {
        var options = ImageDataset.Options()
        options.requiresLabels = false
        options.validationFraction = fraction
        options.seed = seed
        return try ImageDataset(at: path, options: options)
    }

    private static func resume(
        _ options: PretrainingOptions, _ directory: RunDirectory, allowsChangedData: Bool, threads: Int?,
        observer: RunObserver
    ) throws -> PretrainingRun {
        let lock = try directory.open()
        let recorded: PretrainingSettings = try RunBeginning.recorded(in: directory)
        let dataset = try read(options.data, fraction: recorded.validationFraction, seed: recorded.seed)
        for note in dataset.notes { observer.note(note) }
        let settings = try RunBeginning.agree(
            options, recorded, imageCount: dataset.training.count, directory, allowsChangedData: allowsChangedData)
        let beginning = try RunBeginning(
            resuming: directory, lock: lock, dataset: dataset, data: options.data,
            allowsChangedData: allowsChangedData, totalSteps: settings.steps, observer: observer)
        let engine = OneDNNEngine(threadCount: threads)
        let trainer: MAETrainer
        if let place = beginning.checkpoint {
            trainer = try MAETrainer.resume(settings, from: place, engine: engine)
        } else {
            let checkpoint = settings.initial.isEmpty ? nil : try Checkpoint.open(settings.initial)
            trainer = try MAETrainer.begin(settings, checkpoint: checkpoint, engine: engine)
        }
        return try PretrainingRun(beginning, trainer: trainer, threads: engine.threadCount)
    }
}
