import Checkpoints
import Datasets
import Support

/// What a run starts from: its directory, held; its data; and how far it has come.
struct RunBeginning {
    let directory: RunDirectory
    let lock: FileLock
    let dataset: ImageDataset
    let observer: RunObserver
    var state: RunState
    /// The checkpoint to go on from; nil: the run starts from its beginning.
    var checkpoint: String?

    /// A run of its own. The directory is taken and the settings are written; nothing else is there yet.
    init(
        new directory: RunDirectory, settings: some StoredSettings, dataset: ImageDataset, observer: RunObserver
    ) throws {
        self.directory = directory
        self.dataset = dataset
        self.observer = observer
        lock = try directory.open()
        try Files.write(settings.json.text() + "\n", to: directory.configuration)
        state = RunState(fingerprint: DataFingerprint(of: dataset))
    }

    /// The run that is in `directory`, at its last checkpoint.
    init(
        resuming directory: RunDirectory, lock: FileLock, dataset: ImageDataset, data: String,
        allowsChangedData: Bool, totalSteps: Int, observer: RunObserver
    ) throws {
        self.directory = directory
        self.dataset = dataset
        self.observer = observer
        self.lock = lock
        let fingerprint = DataFingerprint(of: dataset)
        state = RunState(fingerprint: fingerprint)
        // Without a checkpoint it is the same run from its beginning.
        guard let step = directory.checkpointSteps.last else { return }
        let place = directory.checkpoint(step)
        let path = Files.join(place, "state.json")
        state = try RunState(json: JSON.file(path), path: path)
        checkpoint = place
        if let change = fingerprint.change(since: state.fingerprint) {
            guard allowsChangedData else {
                throw TrainingError(
                    .malformed, "\(data): \(change); bring the old data back, or go on with --allow-changed-data")
            }
            observer.note("\(data): \(change); going on with it")
            state.fingerprint = fingerprint
        }
        observer.note("\(directory.path): going on from step \(step) of \(totalSteps)")
    }

    /// Refuses to write over a run that is there.
    static func refuse(_ directory: RunDirectory, resumes: Bool) throws(TrainingError) {
        guard resumes else {
            throw TrainingError(
                .cannotCreate,
                "\(directory.path): holds a run already; continue it with --resume, or name another directory")
        }
    }

    /// The settings of the run in `directory`.
    static func recorded<Settings: StoredSettings>(in directory: RunDirectory) throws -> Settings {
        try Settings(json: JSON.file(directory.configuration), path: directory.configuration)
    }

    /// The recorded settings with those changes that leave the result alone; refuses the others.
    static func agree<Options: StoredOptions>(
        _ options: Options, _ recorded: Options.Settings, imageCount: Int, _ directory: RunDirectory,
        allowsChangedData: Bool
    ) throws -> Options.Settings {
        try options.run.checkEpochs()
        var wanted = recorded
        options.apply(to: &wanted, imageCount: imageCount)
        if allowsChangedData {
            // Epochs of other data are of other lengths; the run keeps the steps that it was to have.
            (wanted.run.steps, wanted.run.warmupSteps) = (recorded.run.steps, recorded.run.warmupSteps)
        }
        try wanted.checkValues()
        try wanted.check()
        for field in Options.Settings.fields where field.changesResult {
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
