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
    /// the `id2label` of a Hugging Face `config.json`, or of indices by name (`class_to_idx`).
    ///
    /// Errors: `InputError`, also if the file does not name exactly `count` classes; nil: any number from 1 up.
    public init(contentsOfFile path: String, count: Int?) throws(InputError) {
        let bytes = try InputPaths.bytes(of: path, expected: "a text file with one name per line, or JSON")
        var lines = TextLines.split(bytes)
        while lines.last.map(TextLines.isBlank) == true { lines.removeLast() }
        let start = lines.first { !TextLines.isBlank($0) }?.first { !TextLines.isBlank([$0]) }
        let isJSON = start == UInt8(ascii: "{") || start == UInt8(ascii: "[")
        let names = isJSON ? try Self.names(inJSON: bytes, path: path) : try Self.names(in: lines, path: path)
        if let count, names.count != count {
            throw .malformed(path, "names \(names.count) classes; the model has \(count)")
        }
        if names.isEmpty { throw .malformed(path, "names no classes; expected one name per line, or JSON") }
        self.names = names
    }

    private static func names(in lines: [ArraySlice<UInt8>], path: String) throws(InputError) -> [String] {
        var names: [String] = []
        for line in lines {
            guard let name = String(validating: line, as: UTF8.self) else {
                throw .malformed(path, "is not UTF-8 text; expected one name per line, or JSON")
            }
            names.append(name)
        }
        return names
    }

    private static func names(inJSON bytes: [UInt8], path: String) throws(InputError) -> [String] {
        let json: JSON
        do throws(JSONError) {
            json = try JSON.parse(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes[3...]) : bytes)
        } catch {
            throw .malformed(path, "is not valid JSON at byte \(error.offset): \(error.reason)")
        }
        let isNeither = "is neither a JSON list of names nor an object of names by class index, nor of indices by name"
        if let elements = json.elements {
            let names = elements.compactMap(\.string)
            guard names.count == elements.count else { throw .malformed(path, isNeither) }
            return names
        }
        guard let members = (json["id2label"] ?? json["class_to_idx"] ?? json).members else {
            throw .malformed(path, isNeither)
        }
        var names = [String?](repeating: nil, count: members.count)
        for member in members {
            // Of {"0": 5}, the name is "0".
            let isByName = member.value.integer != nil
            guard let index = member.value.integer ?? Int(member.name),
                let name = isByName ? member.name : member.value.string
            else { throw .malformed(path, isNeither) }
            guard names.indices.contains(index), names[index] == nil else {
                throw .malformed(path, "names class \(index), where \(members.count) classes count from 0")
            }
            names[index] = name
        }
        return names.compactMap { $0 }
    }
}
