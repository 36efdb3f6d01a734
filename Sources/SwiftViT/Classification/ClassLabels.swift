import Datasets
import Models
import Support

/// The names of a model's classes.
public struct ClassLabels: Sendable, Hashable {
    /// The names in the order of the classes; nil if they are unknown.
    public let names: [String]?

    /// Labels with these names, or without any.
    public init(_ names: [String]? = nil) { self.names = names }

    /// The name of a class; "class 3" if it is unknown.
    public subscript(index: Int) -> String {
        if let names, names.indices.contains(index) { return names[index] }
        return "class \(index)"
    }

    /// Reads labels from a file: one name per line; a JSON list of names; or a JSON object of names by index, which may be
    /// the `id2label` of a Hugging Face `config.json`.
    ///
    /// Errors: `InputError`, also if the file does not name exactly `count` classes.
    public init(contentsOfFile path: String, count: Int) throws(InputError) {
        let text = try Self.text(path)
        let isJSON = ["{", "["].contains(text.first { !$0.isWhitespace })
        let names = isJSON ? try Self.names(inJSON: text, path: path) : Self.lines(of: text)
        guard names.count == count else {
            throw .malformed(path, "names \(names.count) classes; the model has \(count)")
        }
        self.names = names
    }

    private static func text(_ path: String) throws(InputError) -> String {
        let bytes = try InputPaths.bytes(of: path, expected: "a text file with one name per line, or JSON")
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .malformed(path, "is not UTF-8 text; expected one name per line, or JSON")
        }
        return text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    }

    private static func lines(of text: String) -> [String] {
        var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
        while lines.last?.allSatisfy(\.isWhitespace) == true { lines.removeLast() }
        return lines
    }

    private static func names(inJSON text: String, path: String) throws(InputError) -> [String] {
        let json: JSON
        do throws(JSONError) {
            json = try JSON.parse(Array(text.utf8))
        } catch {
            throw .malformed(path, "is not valid JSON at byte \(error.offset): \(error.reason)")
        }
        let isNeither = "is neither a JSON list of names nor an object of names by class index"
        if let elements = json.elements {
            let names = elements.compactMap(\.string)
            guard names.count == elements.count else { throw .malformed(path, isNeither) }
            return names
        }
        guard let members = (json["id2label"] ?? json).members else { throw .malformed(path, isNeither) }
        var names = [String?](repeating: nil, count: members.count)
        for member in members {
            guard let index = Int(member.name), let name = member.value.string else {
                throw .malformed(path, isNeither)
            }
            guard names.indices.contains(index), names[index] == nil else {
                throw .malformed(path, "names class \(index), where \(members.count) classes count from 0")
            }
            names[index] = name
        }
        return names.compactMap { $0 }
    }
}
