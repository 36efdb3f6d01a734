import Models
import Support

/// One setting of a run, declared once: its flag, its help, its key in `config.json`, its range, and where it is stored.
///
/// The command line, `config.json`, the check and the resume of a run all work from this declaration.
package struct TrainingOption<Own: Sendable & Equatable> {
    package typealias Settings = TrainingSettings<Own>

    /// The flag without its dashes; of what is only recorded, the key.
    package let name: String
    /// The key in `config.json`; nil: other settings record what it leads to.
    let key: String?
    /// Whether another value gives other weights; a resumed run refuses that.
    let changesResult: Bool
    /// Where the value is stored.
    let path: PartialKeyPath<Settings>
    let encode: (Settings) -> JSON
    /// False where the JSON has the wrong kind or range.
    let decode: (inout Settings, JSON) -> Bool
    /// False where the text is no such value.
    let parse: (inout Settings, String) -> Bool
    let copy: (_ source: Settings, _ destination: inout Settings) -> Void
    /// What is wrong with the value: "takes …, not …"; nil: nothing.
    let fault: (Settings) -> String?
    /// The value as people write it; nil where there is nothing to show.
    let text: (Settings) -> String?
    /// What else follows from being asked for.
    let effect: (inout Settings) -> Void
    /// Whether it means anything for the model of these settings.
    private(set) var applies: (Settings) -> Bool = { _ in true }
    /// Whether the other settings make any use of it.
    private(set) var isUsed: (Settings) -> Bool = { _ in true }
    /// Sets the value of runs of earlier versions, which do not record it; nil: all of them do.
    private(set) var assume: ((inout Settings) -> Void)?
    /// For the command line, where it has the option, with the default that settings hold.
    let describe: (_ defaults: Settings) -> OptionDescription?

    /// An option of the command line.
    ///
    /// - Parameters:
    ///   - standard: what help says of the default; nil: the value in the method's defaults.
    ///   - key: where it is not the name with underscores.
    ///   - isRecorded: whether `config.json` holds it.
    init<Value: Sendable>(
        _ name: String, _ path: WritableKeyPath<Settings, Value>, _ kind: SettingKind<Value>,
        under heading: OptionDescription.Heading, _ help: String, default standard: String? = nil, key: String? = nil,
        isRecorded: Bool = true, changesResult: Bool = true, then effect: @escaping (inout Settings) -> Void = { _ in }
    ) {
        let key = key ?? String(name.map { $0 == "-" ? "_" : $0 })
        self.init(name, key: isRecorded ? key : nil, path, kind, changesResult, effect) { defaults in
            OptionDescription(
                name: name, heading: heading, help: help,
                standard: standard ?? kind.text(defaults[keyPath: path]), words: kind.words, form: kind.form,
                valueName: kind.valueName ?? name, expected: kind.expected,
                accepts: { [parse = kind.parse] in parse($0) != nil })
        }
    }

    /// A setting that `config.json` holds and the command line does not offer.
    ///
    /// - Parameter whenAbsent: its value in runs of earlier versions, which do not record it.
    static func recorded<Value: Sendable>(
        _ key: String, _ path: WritableKeyPath<Settings, Value>, _ kind: SettingKind<Value>,
        changesResult: Bool = true, whenAbsent: Value? = nil
    ) -> Self {
        let option = Self(key, key: key, path, kind, changesResult, { _ in }) { _ in nil }
        return whenAbsent.map { value in option.assuming { $0[keyPath: path] = value } } ?? option
    }

    /// The same, with a value for runs of earlier versions.
    func assuming(_ assume: @escaping (inout Settings) -> Void) -> Self {
        var option = self
        option.assume = assume
        return option
    }

    /// Whether the command line has it.
    func isOffered(by defaults: Settings) -> Bool { describe(defaults) != nil }

    /// The same for some models alone.
    func applying(where condition: @escaping (Settings) -> Bool) -> Self {
        var option = self
        option.applies = condition
        return option
    }

    /// The same, used with some settings alone.
    func used(where condition: @escaping (Settings) -> Bool) -> Self {
        var option = self
        option.isUsed = condition
        return option
    }

    private init<Value: Sendable>(
        _ name: String, key: String?, _ path: WritableKeyPath<Settings, Value>, _ kind: SettingKind<Value>,
        _ changesResult: Bool, _ effect: @escaping (inout Settings) -> Void,
        _ describe: @escaping (Settings) -> OptionDescription?
    ) {
        (self.name, self.key, self.path, self.changesResult) = (name, key, path, changesResult)
        (self.effect, self.describe) = (effect, describe)
        encode = { kind.encode($0[keyPath: path]) }
        decode = { settings, json in
            guard let value = kind.decode(json), kind.allows(value) else { return false }
            settings[keyPath: path] = value
            return true
        }
        parse = { settings, text in
            guard let value = kind.parse(text) else { return false }
            settings[keyPath: path] = value
            return true
        }
        copy = { $1[keyPath: path] = $0[keyPath: path] }
        text = { kind.text($0[keyPath: path]) }
        fault = { settings in
            let value = settings[keyPath: path]
            return kind.allows(value) ? nil : "takes \(kind.expected), not \(kind.text(value) ?? "that")"
        }
    }
}

/// An option as the command line shows it, whichever method's it is.
package struct OptionDescription {
    /// What the command line takes behind the name.
    package enum Form { case value, checkpoint, flag, invertibleFlag }

    /// Where help lists an option.
    package enum Heading: Int { case model, method, data, optimization, upkeep }

    package let name: String
    package let heading: Heading
    /// One sentence.
    package let help: String
    /// The default in words; nil: there is none to name.
    package let standard: String?
    /// The words that it takes, where these are few.
    package let words: [String]
    package let form: Form
    package let valueName: String
    /// What it takes: "a whole number from 1 to 4".
    package let expected: String
    /// Whether a text can be read as a value.
    package let accepts: @Sendable (String) -> Bool
}

extension TrainingMethod {
    /// The options of the command line, with the defaults of this method.
    package static var optionDescriptions: [OptionDescription] {
        let defaults = defaults
        return options.compactMap { $0.describe(defaults) }
    }
}
