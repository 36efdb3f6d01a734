import Checkpoints
import Models

extension PretrainingSettings {
    /// A setting as `config.json` has it.
    struct Field {
        /// The option's name with underscores.
        let name: String
        /// Whether another value gives other weights.
        let changesResult: Bool
        let read: (PretrainingSettings) -> JSON
        /// False where the value is of the wrong kind.
        let write: (inout PretrainingSettings, JSON) -> Bool
    }

    /// All settings in the order of the file.
    static var fields: [Field] { taskFields + optimizationFields + upkeepFields }

    private static var taskFields: [Field] {
        [
            field("data", \.data, changesResult: false, { .string($0) }, \.string),
            field("init", \.initial, { .string($0) }, \.string),
            field("image_size", \.imageSize, { $0.json }, \.extent),
            field("patch_size", \.patchSize, { $0.json }, \.extent),
            integer("channels", \.channels),
            integer("width", \.width), integer("depth", \.depth), integer("heads", \.heads),
            integer("hidden_width", \.hiddenWidth),
            integer("decoder_width", \.decoderWidth), integer("decoder_depth", \.decoderDepth),
            integer("decoder_heads", \.decoderHeads), integer("decoder_hidden_width", \.decoderHiddenWidth),
            number("norm_epsilon", \.normEpsilon),
            field("qkv_bias", \.qkvBias, { .bool($0) }, \.bool),
            number("mask_ratio", \.maskRatio),
            choice("sampling", \.sampling), choice("target", \.target), choice("augment", \.augment),
            field("mean", \.mean, { .array($0.map { .number($0) }) }, \.doubles),
            field("std", \.std, { .array($0.map { .number($0) }) }, \.doubles),
            number("validation_fraction", \.validationFraction),
        ]
    }

    private static var optimizationFields: [Field] {
        [
            integer("batch_size", \.batchSize), integer("accumulate", \.accumulate),
            integer("steps", \.steps), integer("warmup_steps", \.warmupSteps),
            number("blr", \.baseRate), number("lr", \.rate), number("min_lr", \.minimumRate),
            number("weight_decay", \.weightDecay), number("beta1", \.beta1), number("beta2", \.beta2),
            number("clip", \.clip), number("ema", \.averageDecay),
            field("seed", \.seed, { .string(String($0)) }, { $0.string.flatMap { UInt64($0) } }),
        ]
    }

    private static var upkeepFields: [Field] {
        [
            integer("checkpoint_every", \.checkpointEvery, changesResult: false),
            integer("keep", \.keep, changesResult: false),
            integer("log_every", \.logEvery, changesResult: false),
            integer("cache_memory", \.cacheMemory, changesResult: false),
            field("strict", \.isStrict, changesResult: false, { .bool($0) }, \.bool),
        ]
    }

    private static func field<Value>(
        _ name: String, _ path: WritableKeyPath<PretrainingSettings, Value>, changesResult: Bool = true,
        _ encode: @escaping (Value) -> JSON, _ decode: @escaping (JSON) -> Value?
    ) -> Field {
        Field(name: name, changesResult: changesResult, read: { encode($0[keyPath: path]) }) { settings, json in
            guard let value = decode(json) else { return false }
            settings[keyPath: path] = value
            return true
        }
    }

    private static func integer(
        _ name: String, _ path: WritableKeyPath<PretrainingSettings, Int>, changesResult: Bool = true
    ) -> Field {
        field(name, path, changesResult: changesResult, { .integer($0) }, \.integer)
    }

    private static func number(_ name: String, _ path: WritableKeyPath<PretrainingSettings, Double>) -> Field {
        field(name, path, { .number($0) }, \.double)
    }

    private static func choice<Value: RawRepresentable<String>>(
        _ name: String, _ path: WritableKeyPath<PretrainingSettings, Value>
    ) -> Field {
        field(name, path, { .string($0.rawValue) }, { $0.string.flatMap(Value.init) })
    }

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

extension Models.Extent {
    fileprivate var json: JSON { .array([.integer(height), .integer(width)]) }
}

extension JSON {
    fileprivate var extent: Models.Extent? {
        guard let sides = integers, sides.count == 2 else { return nil }
        return Models.Extent(height: sides[0], width: sides[1])
    }
}
