import Checkpoints
import Compute
import Datasets
import Models

extension PretrainingRun {
    /// Begins a run at `output`, or takes up the one that is there.
    ///
    /// Errors: `TrainingError`, `InputError` or `CheckpointError`, each a sentence with the file and the mend.
    /// - Parameters:
    ///   - resumes: whether a run at `output` is continued; where there is none, one begins.
    ///   - allowsChangedData: whether it may go on with other data than it began with.
    public static func open(
        _ options: PretrainingOptions, output: String, resumes: Bool, allowsChangedData: Bool = false,
        threads: Int? = nil, observer: Observer
    ) throws -> PretrainingRun {
        let directory = RunDirectory(path: output)
        if directory.isRun {
            guard resumes else {
                throw TrainingError(
                    .cannotCreate,
                    "\(output): holds a run already; continue it with --resume, or name another directory")
            }
            return try resume(
                options, directory, allowsChangedData: allowsChangedData, threads: threads, observer: observer)
        }
        let (settings, dataset, checkpoint) = try prepare(options)
        tell(dataset, observer)
        let engine = OneDNNEngine(threadCount: threads)
        let trainer = try MAETrainer.begin(settings, checkpoint: checkpoint, engine: engine)
        let lock = try directory.open()
        try Files.write(settings.json.text() + "\n", to: directory.configuration)
        return try PretrainingRun(
            settings: settings, directory: directory, lock: lock, trainer: trainer, dataset: dataset,
            state: RunState(fingerprint: DataFingerprint(of: dataset)), threads: engine.threadCount,
            observer: observer)
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

    private static func tell(_ dataset: ImageDataset, _ observer: Observer) {
        for note in dataset.notes { observer.note(note) }
    }

    private static func resume(
        _ options: PretrainingOptions, _ directory: RunDirectory, allowsChangedData: Bool, threads: Int?,
        observer: Observer
    ) throws -> PretrainingRun {
        let lock = try directory.open()
        let recorded = try PretrainingSettings(
            json: JSON.file(directory.configuration), path: directory.configuration)
        let dataset = try read(options.data, fraction: recorded.validationFraction, seed: recorded.seed)
        tell(dataset, observer)
        let settings = try agree(
            options, recorded, imageCount: dataset.training.count, directory, allowsChangedData: allowsChangedData)
        let engine = OneDNNEngine(threadCount: threads)
        let fingerprint = DataFingerprint(of: dataset)
        guard let step = directory.checkpointSteps.last else {
            // Stopped before its first checkpoint: the same run from its beginning.
            let checkpoint = settings.initial.isEmpty ? nil : try Checkpoint.open(settings.initial)
            let trainer = try MAETrainer.begin(settings, checkpoint: checkpoint, engine: engine)
            return try PretrainingRun(
                settings: settings, directory: directory, lock: lock, trainer: trainer, dataset: dataset,
                state: RunState(fingerprint: fingerprint), threads: engine.threadCount, observer: observer)
        }
        let place = directory.checkpoint(step)
        let statePath = Files.join(place, "state.json")
        var state = try RunState(json: JSON.file(statePath), path: statePath)
        if let change = fingerprint.change(since: state.fingerprint) {
            guard allowsChangedData else {
                throw TrainingError(
                    .malformed,
                    "\(options.data): \(change); bring the old data back, or go on with --allow-changed-data")
            }
            observer.note("\(options.data): \(change); going on with it")
            state.fingerprint = fingerprint
        }
        let trainer = try MAETrainer.resume(settings, from: place, engine: engine)
        observer.note("\(directory.path): going on from step \(step) of \(settings.steps)")
        return try PretrainingRun(
            settings: settings, directory: directory, lock: lock, trainer: trainer, dataset: dataset, state: state,
            threads: engine.threadCount, observer: observer)
    }

    /// The recorded settings with those changes that leave the result alone; refuses the others.
    private static func agree(
        _ options: PretrainingOptions, _ recorded: PretrainingSettings, imageCount: Int, _ directory: RunDirectory,
        allowsChangedData: Bool
    ) throws -> PretrainingSettings {
        try options.checkEpochs()
        var wanted = recorded
        options.apply(to: &wanted, imageCount: imageCount)
        if allowsChangedData {
            // Epochs of other data are of other lengths; the run keeps the steps that it was to have.
            (wanted.steps, wanted.warmupSteps) = (recorded.steps, recorded.warmupSteps)
        }
        try wanted.checkValues()
        try wanted.check()
        for field in PretrainingSettings.fields where field.changesResult {
            let (old, new) = (field.read(recorded), field.read(wanted))
            guard old == new else {
                throw TrainingError(
                    .usage,
                    "\(directory.path): the run was begun with \(field.name) \(old.text(compact: true)), not "
                        + "\(new.text(compact: true)); leave the option out, or name another directory for a new run")
            }
        }
        return wanted
    }
}
