import Checkpoints
import Compute
import Datasets

/// How a kind of run begins and goes on.
protocol RunMaker {
    associatedtype Options: StoredOptions
    associatedtype Model: Trainer

    /// Whether every image needs a class.
    static var requiresLabels: Bool { get }
    /// The part that is held out of sets with so many images, where neither the data nor a person say.
    static var defaultHoldout: (fraction: Double, imageCount: Int) { get }
    /// The settings of a new run over a set of which `fraction` was held out.
    static func resolve(
        _ options: Options, _ dataset: ImageDataset, fraction: Double, checkpoint: Checkpoint?
    ) throws -> Options.Settings
    /// The options of a run that is resumed, with what follows from the data.
    static func complete(_ options: Options, _ dataset: ImageDataset, _ recorded: Options.Settings) throws -> Options
    /// A trainer with the weights of the first step.
    static func begin(
        _ settings: Options.Settings, checkpoint: Checkpoint?, engine: any Engine, observer: RunObserver
    ) throws -> Model
    /// A trainer as it was when the checkpoint `directory` was written.
    static func restore(
        _ settings: Options.Settings, from directory: String, engine: any Engine
    ) throws -> Model
}

/// A run that can begin: its trainer, and what it starts from.
struct MadeRun<Model: Trainer> {
    let beginning: RunBeginning
    let trainer: Model
    let threads: Int
}

extension RunMaker {
    /// Begins a run at `output`, or takes up the one that is there.
    static func make(
        _ options: Options, output: String, resumes: Bool, allowsChangedData: Bool, threads: Int?,
        observer: RunObserver
    ) throws -> MadeRun<Model> {
        let directory = RunDirectory(path: output)
        if directory.isRun {
            try RunBeginning.refuse(directory, resumes: resumes)
            return try resume(
                options, directory, allowsChangedData: allowsChangedData, threads: threads, observer: observer)
        }
        let (settings, dataset, checkpoint) = try prepare(options)
        for note in dataset.notes { observer.note(note) }
        let engine = Engines.make(threads: threads)
        let trainer = try begin(settings, checkpoint: checkpoint, engine: engine, observer: observer)
        let beginning = try RunBeginning(new: directory, settings: settings, dataset: dataset, observer: observer)
        return MadeRun(beginning: beginning, trainer: trainer, threads: engine.threadCount)
    }

    /// Reads the data and settles all settings; nothing is written.
    static func prepare(
        _ options: Options
    ) throws -> (settings: Options.Settings, dataset: ImageDataset, checkpoint: Checkpoint?) {
        let run = options.run
        let checkpoint = try run.initial.map { try Checkpoint.open($0) }
        var fraction = run.validationFraction ?? 0
        var dataset = try read(run.data, fraction: fraction, seed: run.seed ?? 0)
        let holdout = defaultHoldout
        if run.validationFraction == nil, dataset.validation.isEmpty, dataset.training.count >= holdout.imageCount {
            fraction = holdout.fraction
            dataset = try read(run.data, fraction: fraction, seed: run.seed ?? 0)
        }
        let settings = try resolve(options, dataset, fraction: fraction, checkpoint: checkpoint)
        return (settings, dataset, checkpoint)
    }

    private static func read(_ path: String, fraction: Double, seed: UInt64) throws -> ImageDataset {
        var options = ImageDataset.Options()
        options.requiresLabels = requiresLabels
        options.validationFraction = fraction
        options.seed = seed
        return try ImageDataset(at: path, options: options)
    }

    private static func resume(
        _ options: Options, _ directory: RunDirectory, allowsChangedData: Bool, threads: Int?, observer: RunObserver
    ) throws -> MadeRun<Model> {
        let lock = try directory.open()
        let recorded: Options.Settings = try RunBeginning.recorded(in: directory)
        let dataset = try read(
            options.run.data, fraction: recorded.run.validationFraction, seed: recorded.run.seed)
        for note in dataset.notes { observer.note(note) }
        let settings = try RunBeginning.agree(
            complete(options, dataset, recorded), recorded, imageCount: dataset.training.count, directory,
            allowsChangedData: allowsChangedData)
        let beginning = try RunBeginning(
            resuming: directory, lock: lock, dataset: dataset, data: options.run.data,
            allowsChangedData: allowsChangedData, totalSteps: settings.run.steps, observer: observer)
        let engine = Engines.make(threads: threads)
        let trainer: Model
        if let place = beginning.checkpoint {
            trainer = try restore(settings, from: place, engine: engine)
        } else {
            let initial = settings.run.initial
            let checkpoint = initial.isEmpty ? nil : try Checkpoint.open(initial)
            trainer = try begin(settings, checkpoint: checkpoint, engine: engine, observer: observer)
        }
        return MadeRun(beginning: beginning, trainer: trainer, threads: engine.threadCount)
    }
}
