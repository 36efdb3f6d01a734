import Communication
import Compute
import Datasets
import Models
import Support

/// A training run from its first or its last checkpoint to its end.
public final class TrainingRun<Own: Sendable & Equatable> {
    /// Every setting.
    public var settings: TrainingSettings<Own> { method.settings }
    let method: any TrainingMethod<Own>
    let directory: RunDirectory
    let dataset: ImageDataset
    let observer: RunObserver
    /// The processes that share the run; the first one writes its files.
    let communicator: any Communicator
    var state: RunState
    /// What was last measured on held-out images, in words.
    var heldOut: String?
    /// Unreadable files outside of the training part.
    var heldOutUnreadable: [BatchLoader.Unreadable] = []
    /// Files outside of the training part that were read in spite of damage.
    var heldOutDamaged: [BatchLoader.Unreadable] = []
    private let lock: RunLock?
    private let log: MetricsLog?

    private init(
        _ method: any TrainingMethod<Own>, _ directory: RunDirectory, _ lock: RunLock?, _ dataset: ImageDataset,
        _ state: RunState, _ observer: RunObserver, _ communicator: any Communicator
    ) throws {
        (self.method, self.directory, self.lock) = (method, directory, lock)
        (self.dataset, self.state, self.observer) = (dataset, state, observer)
        self.communicator = communicator
        log = communicator.isFirst ? try MetricsLog(directory, upTo: state.step) : nil
        method.parameters.broadcast(communicator)
    }

    /// The log of the run, which the first process alone writes.
    var metrics: MetricsLog {
        guard let log else { preconditionFailure("TrainingRun: process \(communicator.rank) writes no metrics") }
        return log
    }

    /// Begins a run at `output`, or resumes the one that is there.
    ///
    /// Errors: `TrainingError`, `InputError` or `CheckpointError`, each a sentence for people.
    /// - Parameters:
    ///   - resumes: whether a run at `output` is continued; where there is none, one begins.
    ///   - allowsChangedData: whether it may continue with other data than it began with.
    public static func open(
        _ options: TrainingOptions<Own>, output: String, resumes: Bool, allowsChangedData: Bool = false,
        threads: Int? = nil, observer: RunObserver
    ) throws -> TrainingRun {
        try open(
            options, output: output, resumes: resumes, allowsChangedData: allowsChangedData, threads: threads,
            observer: observer, among: SingleProcess())
    }

    /// The same for a run that processes share: each of them opens it, and the first one writes and reports.
    package static func open(
        _ options: TrainingOptions<Own>, output: String, resumes: Bool, allowsChangedData: Bool = false,
        threads: Int? = nil, observer: RunObserver, among communicator: any Communicator
    ) throws -> TrainingRun {
        let directory = RunDirectory(path: output)
        var options = options
        options.processCount = communicator.count
        // The first process looks for all, since it may have begun the run before another one looks.
        let isRun = communicator.isFirst ? try directory.isRun : false
        guard communicator.broadcast([isRun ? 1 : 0]) == [1] else {
            options = try options.timed(threads: threads, observer: observer, among: communicator)
            return try begin(options, directory, engine(threads, observer), observer, communicator)
        }
        guard resumes else { throw directory.holdsRun }
        return try resume(options, directory, allowsChangedData, engine(threads, observer), observer, communicator)
    }

    private static func engine(_ threads: Int?, _ observer: RunObserver) -> any Engine {
        let engine = Engines.make(threads: threads)
        if let shortage = engine.shortage(of: threads) { observer.note(shortage) }
        return engine
    }

    private static func begin(
        _ options: TrainingOptions<Own>, _ directory: RunDirectory, _ engine: any Engine, _ observer: RunObserver,
        _ communicator: any Communicator
    ) throws -> TrainingRun {
        let resolved = try options.resolve()
        let (settings, dataset, checkpoint) = (resolved.settings, resolved.dataset, resolved.checkpoint)
        if let note = checkpoint?.assumptionsNote() { observer.note(note) }
        for note in resolved.notes { observer.note(note) }
        try options.checkAgreement(settings, dataset, among: communicator)
        let method = try options.method.init(
            settings, start: checkpoint.map { .checkpoint($0) } ?? .random, dataset: dataset, engine: engine,
            note: observer.note)
        observer.show(
            method.plan(dataset, given: options.given, processCount: communicator.count), in: directory)
        let lock = communicator.isFirst ? try directory.open(note: observer.note) : nil
        let state = try RunState.shared(among: communicator) {
            // Another run may have begun, and ended, since this process looked.
            guard try !directory.isRun else { throw directory.holdsRun }
            try Files.write(options.method.json(settings).text() + "\n", to: directory.configuration)
            return RunState(fingerprint: try DataFingerprint(of: dataset))
        }
        return try TrainingRun(method, directory, lock, dataset, state, observer, communicator)
    }

    private static func resume(
        _ options: TrainingOptions<Own>, _ directory: RunDirectory, _ allowsChangedData: Bool, _ engine: any Engine,
        _ observer: RunObserver, _ communicator: any Communicator
    ) throws -> TrainingRun {
        let lock = communicator.isFirst ? try directory.open(note: observer.note) : nil
        let path = directory.configuration
        let recorded = try options.method.settings(JSON.file(path), path: path)
        let dataset = try options.dataset(as: recorded.run)
        for note in dataset.notes { observer.note(note) }
        let settings = try options.resolve(
            resuming: recorded, in: directory, dataset: dataset, allowsChangedData: allowsChangedData,
            note: observer.note)
        try options.checkAgreement(settings, dataset, among: communicator)
        let state = try RunState.shared(among: communicator) {
            try Self.state(of: options, directory, dataset, allowsChangedData, observer)
        }
        // Without a checkpoint it is the same run from its beginning.
        guard state.step > 0 else {
            let start = try settings.run.openInitial().map { TrainingStart.checkpoint($0) } ?? .random
            let method = try options.method.init(
                settings, start: start, dataset: dataset, engine: engine, note: observer.note)
            if communicator.isFirst { try record(settings, options, recorded, in: directory) }
            return try TrainingRun(method, directory, lock, dataset, state, observer, communicator)
        }
        observer.note("\(directory.path): continuing from step \(state.step) of \(settings.run.steps)")
        let checkpoint = directory.checkpoint(state.step)
        let method = try options.method.init(
            settings, start: .resumed(checkpoint), dataset: dataset, engine: engine, note: observer.note)
        if communicator.isFirst { try method.parameters.restore(from: checkpoint) }
        observer.show(
            method.plan(dataset, given: options.given, processCount: communicator.count), in: directory)
        if communicator.isFirst { try record(settings, options, recorded, in: directory) }
        return try TrainingRun(method, directory, lock, dataset, state, observer, communicator)
    }

    /// The state of the last checkpoint, or that before the first step; refuses data that have changed since.
    private static func state(
        of options: TrainingOptions<Own>, _ directory: RunDirectory, _ dataset: ImageDataset,
        _ allowsChangedData: Bool, _ observer: RunObserver
    ) throws -> RunState {
        let fingerprint = try DataFingerprint(of: dataset)
        guard let step = try directory.checkpointSteps.last else { return RunState(fingerprint: fingerprint) }
        var state = try RunState(in: directory.checkpoint(step))
        if let change = fingerprint.change(since: state.fingerprint) {
            guard allowsChangedData else {
                throw TrainingError(
                    .malformed, "\(options.data): \(change); restore the data, or continue with --allow-changed-data")
            }
            observer.note("\(options.data): \(change); continuing with it")
            state.fingerprint = fingerprint
        }
        return state
    }

    /// Makes sure that the run is still where it began, since whoever writes to the names of its files makes the
    /// directories that they lie in.
    func checkPlace() throws {
        guard let lock, try !lock.holds(directory.path) else { return }
        throw TrainingError(
            .inputOutput,
            "\(directory.path): was moved, removed or unmounted while the run was in it; continue it with --resume where it "
                + "is now")
    }

    /// Writes the new length of a run that is resumed with more steps.
    private static func record(
        _ settings: TrainingSettings<Own>, _ options: TrainingOptions<Own>, _ recorded: TrainingSettings<Own>,
        in directory: RunDirectory
    ) throws {
        guard settings.run.steps != recorded.run.steps else { return }
        var longer = recorded
        longer.run.steps = settings.run.steps
        try Files.write(options.method.json(longer).text() + "\n", to: directory.configuration)
    }
}

extension RunDirectory {
    fileprivate var holdsRun: TrainingError {
        TrainingError(
            .cannotCreate, "\(path): already holds a run; continue it with --resume, or name another directory")
    }

    /// The method of the run here; nil where there is none, or where its settings do not name one.
    package var method: String? { get throws(FileError) { try JSON.readable(configuration)?["method"]?.string } }
}
