import Models
import Support

/// How values of one type are written on the command line, in `config.json` and in messages, and which are allowed.
package struct SettingKind<Value: Sendable> {
    /// What is expected: "a whole number from 1 to 4".
    let expected: String
    let encode: (Value) -> JSON
    let decode: (JSON) -> Value?
    let parse: @Sendable (String) -> Value?
    /// A value as people write it; nil where there is nothing to show.
    let text: (Value) -> String?
    let allows: (Value) -> Bool
    /// The words that the command line takes, where these are few.
    var words: [String] = []
    /// What help calls the value; nil: the option's name.
    var valueName: String?
    var form = OptionDescription.Form.value

    init(
        _ expected: String, encode: @escaping (Value) -> JSON, decode: @escaping (JSON) -> Value?,
        parse: @escaping @Sendable (String) -> Value?, text: @escaping (Value) -> String? = { "\($0)" },
        allows: @escaping (Value) -> Bool = { _ in true }, valueName: String? = nil
    ) {
        (self.expected, self.encode, self.decode) = (expected, encode, decode)
        (self.parse, self.text, self.allows, self.valueName) = (parse, text, allows, valueName)
    }

    /// The same, or nothing.
    func optional() -> SettingKind<Value?> {
        var kind = SettingKind<Value?>(
            expected, encode: { $0.map(encode) ?? .null }, decode: { decode($0).map(Optional.some) },
            parse: { [parse] in parse($0).map(Optional.some) },
            text: { $0.flatMap(text) }, allows: { $0.map(allows) ?? true }, valueName: valueName)
        (kind.words, kind.form) = (words, form)
        return kind
    }
}

extension SettingKind<Int> {
    /// The largest width, depth, batch size and so on.
    static var largestSize: Int { 1 << 20 }
    /// The largest number of steps and of what else is counted.
    static var largestCount: Int { 1_000_000_000_000 }

    static func integer(from least: Int = 0, to most: Int = SettingKind<Int>.largestCount) -> Self {
        Self(
            "a whole number from \(least) to \(most)", encode: { .integer($0) },
            decode: \.integer, parse: { Int($0) }, allows: { $0 >= least && $0 <= most }, valueName: "n")
    }

    /// A size that memory is needed for.
    static func size(from least: Int = 1) -> Self { integer(from: least, to: largestSize) }

    /// A number of blocks.
    static var depth: Self { integer(from: 1, to: 4096) }

    /// A number of bytes, also with K, M or G behind it.
    static var bytes: Self {
        let units = [("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)]
        return Self(
            "a number of bytes, such as 512M or 2G", encode: { .integer($0) }, decode: \.integer,
            parse: { text in
                let unit = units.first { text.uppercased().hasSuffix($0.0) }
                guard let number = Int(unit == nil ? text : String(text.dropLast())) else { return nil }
                let (bytes, overflow) = number.multipliedReportingOverflow(by: unit?.1 ?? 1)
                return overflow ? nil : bytes
            },
            text: { bytes in
                guard let unit = units.first(where: { bytes > 0 && bytes % $0.1 == 0 }) else { return "\(bytes)" }
                return "\(bytes / unit.1)\(unit.0)"
            }, allows: { $0 >= 0 }, valueName: "bytes")
    }
}

extension SettingKind<Double> {
    static func number(_ expected: String, allows: @escaping (Double) -> Bool) -> Self {
        Self(
            expected, encode: { .number($0) }, decode: \.double, parse: { Double($0) },
            text: { $0 == $0.rounded() && abs($0) < 1e6 ? "\(Int($0))" : "\($0)" }, allows: allows, valueName: "x")
    }

    /// Epochs or minutes; more make no more steps than a run may have.
    static var length: Self { number("a number from 0 to 1000000000000") { (0...1e12).contains($0) } }
    static var nonNegative: Self { number("a number from 0 up") { $0 >= 0 && $0.isFinite } }
    static var probability: Self { number("a number from 0 to 1") { (0...1).contains($0) } }
    static var fraction: Self { number("a number from 0 up and below 1") { (0..<1).contains($0) } }
    static var factor: Self { number("a number above 0 and up to 1") { $0 > 0 && $0 <= 1 } }
}

extension SettingKind<Float> {
    /// A number that is computed with in single precision, written as briefly as it can be.
    static var single: Self {
        Self(
            "a number", encode: { .number(Double("\($0)") ?? Double($0)) }, decode: { $0.double.map { Float($0) } },
            parse: { Float($0) })
    }
}

extension SettingKind<UInt64> {
    static var seed: Self {
        Self(
            "a whole number from 0 to \(UInt64.max)", encode: { .string(String($0)) },
            decode: { $0.string.flatMap { UInt64($0) } }, parse: { UInt64($0) }, valueName: "n")
    }
}

extension SettingKind<Bool> {
    /// `--name`, which turns something on.
    static var flag: Self { form(.flag) }

    /// `--name` or `--no-name`.
    static var invertibleFlag: Self { form(.invertibleFlag) }

    private static func form(_ form: OptionDescription.Form) -> Self {
        var kind = Self(
            "true or false", encode: { .bool($0) }, decode: \.bool, parse: { Bool($0) }, text: { _ in nil })
        kind.form = form
        return kind
    }
}

extension SettingKind<String> {
    static var text: Self {
        Self("text", encode: { .string($0) }, decode: \.string, parse: { $0 }, text: { $0.isEmpty ? nil : $0 })
    }

    /// The path of a checkpoint; empty: none.
    static var checkpoint: Self {
        var kind = text
        (kind.valueName, kind.form) = ("m", .checkpoint)
        return kind
    }
}

extension SettingKind<[String]> {
    static var texts: Self {
        Self("texts", encode: { .array($0.map { .string($0) }) }, decode: decodeAll, parse: { [$0] })
    }

    private static func decodeAll(_ json: JSON) -> [String]? {
        guard let elements = json.elements else { return nil }
        let texts = elements.compactMap(\.string)
        return texts.count == elements.count ? texts : nil
    }
}

extension SettingKind<[Double]> {
    static var numbers: Self {
        Self(
            "numbers", encode: { .array($0.map { .number($0) }) }, decode: \.doubles,
            parse: { Double($0).map { [$0] } })
    }
}

extension SettingKind<Size> {
    /// Pixels, one number for a square or HEIGHTxWIDTH.
    static var pixels: Self {
        let allowed = 1...SettingKind<Int>.largestSize
        return Self(
            "pixels from 1 to \(allowed.upperBound), such as 224 or 224x320",
            encode: { .array([.integer($0.height), .integer($0.width)]) },
            decode: { json in
                json.integers.flatMap { $0.count == 2 ? Size(height: $0[0], width: $0[1]) : nil }
            },
            parse: { text in
                let sides = text.lowercased().split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
                guard sides.count <= 2, let height = sides[0], let width = sides[sides.count - 1] else { return nil }
                return Size(height: height, width: width)
            }, text: \.text, allows: { allowed.contains($0.height) && allowed.contains($0.width) },
            valueName: "pixels")
    }
}

extension SettingKind where Value: RawRepresentable<String> {
    /// One of a few words, each recorded by its raw value.
    static func choice(_ choices: [(word: String, value: Value)]) -> Self {
        let words = choices.map(\.word)
        var kind = Self(
            words.dropLast().joined(separator: ", ") + " or \(words.last ?? "")", encode: { .string($0.rawValue) },
            decode: { $0.string.flatMap { Value(rawValue: $0) } },
            parse: { text in choices.first { $0.word == text }?.value },
            text: { value in choices.first { $0.value.rawValue == value.rawValue }?.word })
        kind.words = words
        return kind
    }

    /// What is only recorded.
    static var recordedWord: Self { choice([]) }
}

extension SettingKind where Value: RawRepresentable<String> & CaseIterable {
    static var choice: Self { choice(Value.allCases.map { ($0.rawValue, $0) }) }
}

extension Size {
    /// One number for a square, else HEIGHTxWIDTH.
    var text: String { height == width ? "\(height)" : "\(height)x\(width)" }
}
