/// What the extended header of a member says of it (POSIX pax): lines `LENGTH KEY=VALUE`.
struct TarRecords {
    private(set) var name: [UInt8]?
    private(set) var target: [UInt8]?
    private(set) var size: Int?
    /// Whether the member is one of GNU's sparse files; and then, its name.
    private(set) var isSparse = false
    private(set) var sparseName: [UInt8]?

    /// Adds records, which come before earlier ones; nil where they are malformed.
    mutating func add(_ content: [UInt8]) -> Void? {
        var rest = content[...]
        while let first = rest.first, first != 0 {
            guard let space = rest.firstIndex(of: UInt8(ascii: " ")), space - rest.startIndex <= 10,
                let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length > space - rest.startIndex + 1,
                length <= rest.count
            else { return nil }
            let line = rest[(space + 1)..<(rest.startIndex + length)]
            guard line.last == UInt8(ascii: "\n"), let equals = line.firstIndex(of: UInt8(ascii: "=")) else {
                return nil
            }
            let value = Array(line[(equals + 1)..<(line.endIndex - 1)])
            guard set(String(decoding: line[..<equals], as: UTF8.self), to: value) != nil else { return nil }
            rest = rest[(rest.startIndex + length)...]
        }
        return ()
    }

    /// An empty value takes an earlier one back.
    private mutating func set(_ key: String, to value: [UInt8]) -> Void? {
        let text = value.isEmpty ? nil : Array(value.prefix { $0 != 0 })
        switch key {
        case "path": name = text
        case "linkpath": target = text
        case "size":
            size = nil
            guard let text else { break }
            guard let number = Int(String(decoding: text, as: UTF8.self)), number >= 0 else { return nil }
            size = number
        case "GNU.sparse.name":
            sparseName = text
            isSparse = true
        default: isSparse = isSparse || key.utf8.starts(with: "GNU.sparse.".utf8)
        }
        return ()
    }
}
