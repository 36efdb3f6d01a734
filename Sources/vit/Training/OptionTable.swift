import ArgumentParser
import Training

/// The options of training that help lists under one heading, from their declarations in `Training`.
///
/// ArgumentParser finds the options of a type by reflection and decodes them by name: this type shows it one property per
/// declaration, and keeps what was given as text.
struct OptionTable<Command: TrainingCommand, let heading: Int>: ParsableArguments, CustomReflectable {
    /// The names of the options that were given, each with its text.
    private(set) var given: [(option: OptionDescription, text: String)] = []

    init() {}

    private static var options: [MergedOption] {
        MergedOption.merge(Command.methods).filter { $0.option.heading.rawValue == heading }
    }

    var customMirror: Mirror {
        Mirror(self, children: Self.options.map { ($0.option.name, $0.property) })
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Name.self)
        for (option, name) in Self.options.map({ ($0.option, Name(stringValue: $0.option.name)) }) {
            let text: String? =
                switch option.form {
                case .flag: try container.decode(Flag<Bool>.self, forKey: name).wrappedValue.description
                case .invertibleFlag: try container.decode(Flag<Bool?>.self, forKey: name).wrappedValue?.description
                case .value, .checkpoint: try container.decode(Option<String?>.self, forKey: name).wrappedValue
                }
            if let text { given.append((option, text)) }
        }
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

/// An option as a command shows it, whose methods may declare it alike or with other defaults.
private struct MergedOption {
    let option: OptionDescription
    /// Which methods have it, with their defaults.
    private(set) var standards: [(method: String, standard: String?)]
    private let methodCount: Int

    /// The options of methods, in their order.
    static func merge(_ methods: [any TrainingMethod.Type]) -> [MergedOption] {
        var merged: [MergedOption] = []
        for method in methods {
            for option in method.optionDescriptions {
                let standard = (method.name, option.standard)
                if let index = merged.firstIndex(where: { $0.option.name == option.name }) {
                    merged[index].standards.append(standard)
                } else {
                    merged.append(MergedOption(option: option, standards: [standard], methodCount: methods.count))
                }
            }
        }
        return merged
    }

    /// What ArgumentParser finds.
    var property: Any {
        let name = NameSpecification.customLong(option.name)
        let help = ArgumentHelp("\(option.help)\(notes)", valueName: option.valueName)
        switch option.form {
        case .flag: return Flag<Bool>(wrappedValue: false, name: name, help: help)
        case .invertibleFlag: return Flag<Bool?>(name: name, inversion: .prefixedNo, help: help)
        case .value, .checkpoint:
            let (accepts, expected) = (option.accepts, option.expected)
            return Option<String?>(name: name, help: help, completion: option.words.isEmpty ? nil : .list(option.words))
            {
                guard accepts($0) else { throw ValidationError("expected \(expected)") }
                return $0
            }
        }
    }

    /// Methods, values and default, as far as they need stating: " (values: a, b; default: a)".
    private var notes: String {
        var notes: [String] = []
        if standards.count < methodCount { notes.append(standards.map(\.method).joined(separator: ", ") + " only") }
        if !option.words.isEmpty { notes.append("values: \(option.words.joined(separator: ", "))") }
        if let first = standards[0].standard, !first.isEmpty {
            let others = standards.dropFirst().filter { $0.standard != first }
            notes.append("default: \(first)" + others.map { ", \($0.method) \($0.standard ?? "none")" }.joined())
        }
        return notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))"
    }
}
