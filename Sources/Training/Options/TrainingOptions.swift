import Datasets
import Models
import Support

/// What is asked for of a run; everything else follows from the method's defaults, the data and the checkpoint.
///
/// An option is read and set as a property, whether every run has it, the encoder or the method alone; nil: it was
/// not asked for.
@dynamicMemberLookup
public struct TrainingOptions<Own: Sendable & Equatable>: Sendable {
    typealias Settings = TrainingSettings<Own>

    let method: any TrainingMethod<Own>.Type
    /// The method's defaults with what was asked for in their place.
    private(set) var settings: TrainingSettings<Own>
    /// The names of what was asked for.
    private(set) var given: Set<String> = []
    /// The processes that share a step; `accumulate` is asked for of each, and recorded of all.
    var processCount = 1

    /// Nothing asked for but the data.
    package init<Method: TrainingMethod>(_ method: Method.Type, data: String) where Method.Settings == Own {
        self.method = method
        settings = Method.defaults
        settings.run.data = data
    }

    /// The folder or table of images.
    public var data: String { settings.run.data }

    /// Something that can be asked for of every run.
    public subscript<Value>(dynamicMember path: WritableKeyPath<RunSettings, Value>) -> Value? {
        get { value(\.run, path) }
        set { ask(\.run, path, newValue) }
    }

    /// Something that can be asked for of the encoder.
    public subscript<Value>(dynamicMember path: WritableKeyPath<ViTConfiguration, Value>) -> Value? {
        get { value(\.vit, path) }
        set { ask(\.vit, path, newValue) }
    }

    /// Something that can be asked for of this method alone.
    public subscript<Value>(dynamicMember path: WritableKeyPath<Own, Value>) -> Value? {
        get { value(\.method, path) }
        set { ask(\.method, path, newValue) }
    }

    /// Something that leads to other settings, such as epochs to steps.
    public subscript<Value>(dynamicMember path: WritableKeyPath<TrainingRequest, Value?>) -> Value? {
        get { value(\.request, path) ?? nil }
        set { ask(\.request, path, newValue.map { $0 }) }
    }

    private func value<Part, Value>(
        _ part: WritableKeyPath<Settings, Part>, _ path: WritableKeyPath<Part, Value>
    ) -> Value? {
        let path = part.appending(path: path)
        return given.contains(option(path).name) ? settings[keyPath: path] : nil
    }

    private mutating func ask<Part, Value>(
        _ part: WritableKeyPath<Settings, Part>, _ path: WritableKeyPath<Part, Value>, _ value: Value?
    ) {
        let path = part.appending(path: path)
        let name = option(path).name
        if let value {
            settings[keyPath: path] = value
            given.insert(name)
        } else {
            given.remove(name)
        }
    }

    private func option(_ path: PartialKeyPath<Settings>) -> TrainingOption<Own> {
        guard let option = method.options.first(where: { $0.path == path }) else {
            preconditionFailure("TrainingOptions: \(path) follows from other settings and cannot be asked for")
        }
        return option
    }

    /// Asks for a value by the option's name, as the command line has both; false where the method has no such option
    /// or the value cannot be read.
    package mutating func set(_ name: String, to text: String) -> Bool {
        guard let option = method.options.first(where: { $0.name == name }), option.parse(&settings, text) else {
            return false
        }
        given.insert(name)
        return true
    }
}

extension TrainingOptions {
    /// Reads the data and resolves the settings of a new run; nothing is written.
    package func resolve() throws -> ResolvedRun<Own> {
        try check()
        if given.contains("weights"), !given.contains("init") {
            throw TrainingError(.usage, "--weights names a model of the checkpoint of --init, which is not given")
        }
        let checkpoint = given.contains("init") ? try settings.run.openInitial() : nil
        var resolved = method.defaults
        resolved.run.seed = settings.run.seed
        resolved.run.weights = settings.run.weights
        resolved.run.validationFraction = settings.run.validationFraction
        var dataset = try self.dataset(as: resolved.run)
        if !given.contains("validation-fraction"), dataset.validation.isEmpty,
            dataset.training.count >= method.holdout.imageCount
        {
            resolved.run.validationFraction = method.holdout.fraction
            dataset = try self.dataset(as: resolved.run)
        }
        if let checkpoint {
            resolved.adopt(checkpoint)
            try refuseShape(of: resolved)
            try method.adopt(checkpoint, into: &resolved)
        } else if !given.contains("channels") {
            resolved.vit.inputChannels = ImageChannels.common(in: dataset)
        }
        resolved.run.accumulate *= processCount
        let wanted =
            (given.contains("batch-size") ? settings : resolved).run.batchSize
            * (given.contains("accumulate") ? settings.run.accumulate * processCount : resolved.run.accumulate)
        try apply(to: &resolved, dataset)
        try method.settle(&resolved, given: given, checkpoint: checkpoint)
        resolved.settle(given, defaults: method.defaults.request, imageCount: dataset.training.count)
        try finish(&resolved)
        var run = ResolvedRun(settings: resolved, dataset: dataset, checkpoint: checkpoint, notes: dataset.notes)
        if resolved.run.effectiveBatch < wanted {
            run.notes.append(
                "\(data): has \(counted(dataset.training.count, "image")) to train on, fewer than the \(wanted) of a "
                    + "step; a step takes \(resolved.run.effectiveBatch)")
        }
        return run
    }

    /// Refuses options on the shape of a model that has its own.
    func refuseShape(of settings: TrainingSettings<Own>) throws(TrainingError) {
        for option in method.options where given.contains(option.name) && !option.applies(settings) {
            throw TrainingError(
                .usage,
                "--\(option.name) describes a Vision Transformer; a \(ModelFamilies.family(of: settings.encoder).name) keeps the shape that "
                    + "its checkpoint has; leave the option out")
        }
    }

    /// The data, split as `run` has it.
    func dataset(as run: RunSettings) throws -> ImageDataset {
        var options = ImageDataset.Options()
        options.requiresLabels = method.requiresLabels
        options.validationFraction = run.validationFraction
        options.holdsOutBesideTest = run.holdsOutBesideTest
        options.seed = run.seed
        return try ImageDataset(at: data, options: options)
    }

    /// Refuses values out of their range, and options that exclude each other.
    func check() throws(TrainingError) {
        for option in method.options where given.contains(option.name) {
            if let fault = option.fault(settings) { throw TrainingError(.usage, "--\(option.name) \(fault)") }
        }
        let lengths = ["epochs", "steps", "minutes"].filter { given.contains($0) }
        if lengths.count > 1 {
            throw TrainingError(
                .usage, "--\(lengths[0]) and --\(lengths[1]) exclude each other; expected one of them")
        }
    }

    /// Puts what was asked for, and what follows from the data, into `settings`.
    func apply(to settings: inout TrainingSettings<Own>, _ dataset: ImageDataset) throws {
        settings.run.data = data
        for option in method.options where given.contains(option.name) {
            take(option, into: &settings)
        }
        settings.fitBatch(imageCount: dataset.training.count, processCount: processCount)
        settings.applyEpochs(given, imageCount: dataset.training.count)
        try method.read(dataset, into: &settings)
    }

    /// Puts what was asked for of an option into `settings`, and what follows from it.
    func take(_ option: TrainingOption<Own>, into settings: inout TrainingSettings<Own>) {
        option.copy(self.settings, &settings)
        if option.path == \Settings.run.accumulate { settings.run.accumulate *= processCount }
        option.effect(&settings)
    }

    func finish(_ settings: inout TrainingSettings<Own>) throws {
        settings.request = TrainingRequest()
        try settings.check()
        try method.check(settings, given: given)
        try checkProcesses(of: settings.run)
        var own = settings
        own.run.accumulate /= processCount
        try method.memoryNeed(own).check()
    }
}
