/// A JSON value. Objects keep the order of their members, and integers stay integers.
///
/// Foundation's decoder costs more at start-up than reading the header of a checkpoint, and accepts repeated names,
/// which safetensors forbids.
package enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([Member])

    package struct Member: Sendable, Hashable {
        package var name: String
        package var value: JSON

        package init(_ name: String, _ value: JSON) {
            self.name = name
            self.value = value
        }
    }

    /// The member called `name` of an object; nil where there is none or where it is null.
    package subscript(_ name: String) -> JSON? {
        guard case .object(let members) = self, let value = members.first(where: { $0.name == name })?.value,
            value != .null
        else { return nil }
        return value
    }

    package var members: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }

    package var elements: [JSON]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    package var string: String? {
        if case .string(let string) = self { string } else { nil }
    }

    package var bool: Bool? {
        if case .bool(let bool) = self { bool } else { nil }
    }

    /// The value as a whole number, also where it was written as `3.0`.
    package var integer: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// A list of whole numbers.
    package var integers: [Int]? { elements.flatMap { list in all(list.map(\.integer)) } }

    /// A list of numbers.
    package var doubles: [Double]? { elements.flatMap { list in all(list.map(\.double)) } }

    private func all<T>(_ list: [T?]) -> [T]? {
        let present = list.compactMap { $0 }
        return present.count == list.count ? present : nil
    }
}

extension JSON {
    /// Far more than any configuration, list of classes or index takes; the limit of a safetensors header.
    private static let largestFile = 100_000_000

    /// The JSON value in a file.
    package static func file(_ path: String) throws(FileError) -> JSON {
        let bytes = try Files.content(of: path, expected: "a JSON file", upTo: largestFile)
        do throws(JSONError) {
            return try parse(bytes)
        } catch {
            throw .malformed(path, "is not valid JSON at byte \(error.offset): \(error.reason)")
        }
    }

    /// The JSON value in a file; nil where there is none, or where it holds something else.
    package static func readable(_ path: String) throws(FileError) -> JSON? {
        do throws(FileError) {
            return try file(path)
        } catch {
            if error.kind == .inputOutput { throw error }
            return nil
        }
    }

    /// The value as text: indented by two spaces with every element on a line of its own, or on one line altogether
    /// where `compact`.
    package func text(compact: Bool = false) -> String {
        var text = ""
        write(to: &text, indentation: compact ? nil : 0)
        return text
    }

    private func write(to text: inout String, indentation: Int?) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .number(let value):
            text += value.isFinite ? String(value) : value.isNaN ? "NaN" : "\(value < 0 ? "-" : "")Infinity"
        case .string(let value): Self.write(value, to: &text)
        case .array(let values):
            Self.write(values, to: &text, brackets: ("[", "]"), indentation) { $0.write(to: &$1, indentation: $2) }
        case .object(let members):
            Self.write(members, to: &text, brackets: ("{", "}"), indentation) {
                Self.write($0.name, to: &$1)
                $1 += $2 == nil ? ":" : ": "
                $0.value.write(to: &$1, indentation: $2)
            }
        }
    }

    private static func write<Item>(
        _ items: [Item], to text: inout String, brackets: (String, String), _ indentation: Int?,
        _ writeItem: (Item, inout String, Int?) -> Void
    ) {
        let inner = indentation.map { $0 + 2 }
        text += brackets.0
        for (index, item) in items.enumerated() {
            if index > 0 { text += "," }
            if let inner { text += "\n" + String(repeating: " ", count: inner) }
            writeItem(item, &text, inner)
        }
        if let indentation, !items.isEmpty { text += "\n" + String(repeating: " ", count: indentation) }
        text += brackets.1
    }

    private static func write(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
