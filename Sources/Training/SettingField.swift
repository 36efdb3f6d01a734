import Checkpoints
import Models
import Support

/// All settings of a kind of run: those that every run has, and its own.
package protocol StoredSettings: Equatable {
    init()
    var run: RunSettings { get set }
    /// All of them in the order of `config.json`.
    static var fields: [SettingField<Self>] { get }
    /// Refuses numbers that make no sense on their own, before anything is computed from them.
    func checkValues() throws(TrainingError)
    /// Refuses numbers that do not go together.
    func check() throws(TrainingError)
}

/// A setting as `config.json` has it.
package struct SettingField<Settings> {
    /// The option's name with underscores.
    let name: String
    /// Whether another value gives other weights.
    let changesResult: Bool
    let read: (Settings) -> JSON
    /// False where the value is of the wrong kind.
    let write: (inout Settings, JSON) -> Bool

    private init<Value>(
        _ name: String, _ path: WritableKeyPath<Settings, Value>, changesResult: Bool = true,
        _ encode: @escaping (Value) -> JSON, _ decode: @escaping (JSON) -> Value?
    ) {
        self.name = name
        self.changesResult = changesResult
        read = { encode($0[keyPath: path]) }
        write = { settings, json in
            guard let value = decode(json) else { return false }
            settings[keyPath: path] = value
            return true
        }
    }

    static func integer(_ name: String, _ path: WritableKeyPath<Settings, Int>, changesResult: Bool = true) -> Self {
        Self(name, path, changesResult: changesResult, { .integer($0) }, \.integer)
    }

    static func number(_ name: String, _ path: WritableKeyPath<Settings, Double>) -> Self {
        Self(name, path, { .number($0) }, \.double)
    }

    static func numbers(_ name: String, _ path: WritableKeyPath<Settings, [Double]>) -> Self {
        Self(name, path, { .array($0.map { .number($0) }) }, \.doubles)
    }

    static func flag(_ name: String, _ path: WritableKeyPath<Settings, Bool>, changesResult: Bool = true) -> Self {
        Self(name, path, changesResult: changesResult, { .bool($0) }, \.bool)
    }

    static func text(_ name: String, _ path: WritableKeyPath<Settings, String>, changesResult: Bool = true) -> Self {
        Self(name, path, changesResult: changesResult, { .string($0) }, \.string)
    }

    static func texts(_ name: String, _ path: WritableKeyPath<Settings, [String]>) -> Self {
        Self(name, path, { .array($0.map { .string($0) }) }) { json in
            guard let elements = json.elements else { return nil }
            let texts = elements.compactMap(\.string)
            return texts.count == elements.count ? texts : nil
        }
    }

    static func extent(_ name: String, _ path: WritableKeyPath<Settings, Size>) -> Self {
        Self(name, path, { .array([.integer($0.height), .integer($0.width)]) }) { json in
            guard let sides = json.integers, sides.count == 2 else { return nil }
            return Size(height: sides[0], width: sides[1])
        }
    }

    static func choice<Value: RawRepresentable<String>>(
        _ name: String, _ path: WritableKeyPath<Settings, Value>
    ) -> Self {
        Self(name, path, { .string($0.rawValue) }, { $0.string.flatMap(Value.init) })
    }
}

extension SettingField where Settings: StoredSettings {
    /// What every run trains on, and the shape of its encoder.
    static var encoder: [Self] {
        [
            text("data", \.run.data, changesResult: false), text("init", \.run.initial),
            extent("image_size", \.run.imageSize), extent("patch_size", \.run.patchSize),
            integer("channels", \.run.channels), integer("width", \.run.width), integer("depth", \.run.depth),
            integer("heads", \.run.heads), integer("hidden_width", \.run.hiddenWidth),
            number("norm_epsilon", \.run.normEpsilon), flag("qkv_bias", \.run.qkvBias),
        ]
    }

    static var optimization: [Self] {
        [
            numbers("mean", \.run.mean), numbers("std", \.run.std), choice("fit", \.run.fit),
            number("validation_fraction", \.run.validationFraction),
            integer("batch_size", \.run.batchSize), integer("accumulate", \.run.accumulate),
            integer("steps", \.run.steps), integer("warmup_steps", \.run.warmupSteps),
            number("blr", \.run.baseRate), number("lr", \.run.rate), number("min_lr", \.run.minimumRate),
            number("weight_decay", \.run.weightDecay), number("beta1", \.run.beta1), number("beta2", \.run.beta2),
            number("clip", \.run.clip), number("ema", \.run.averageDecay),
            Self("seed", \.run.seed, { .string(String($0)) }, { $0.string.flatMap { UInt64($0) } }),
        ]
    }

    static var upkeep: [Self] {
        [
            integer("checkpoint_every", \.run.checkpointEvery, changesResult: false),
            integer("keep", \.run.keep, changesResult: false),
            integer("log_every", \.run.logEvery, changesResult: false),
            integer("cache_memory", \.run.cacheMemory, changesResult: false),
            flag("strict", \.run.isStrict, changesResult: false),
        ]
    }
}

extension StoredSettings {
    /// The settings as `config.json` holds them.
    package var json: JSON { .object(Self.fields.map { JSON.Member($0.name, $0.read(self)) }) }

    /// The settings of a run, from its `config.json`.
    package init(json: JSON, path: String) throws(TrainingError) {
        self.init()
        for field in Self.fields {
            guard let value = json[field.name], field.write(&self, value) else {
                throw TrainingError(
                    .malformed,
                    "\(path): \(field.name) is missing or of the wrong kind; expected the file as the run wrote it")
            }
        }
    }
}
