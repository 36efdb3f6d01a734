import Support

/// Reads a JSON text from front to back without making a tree of it: a vocabulary of 256,000 tokens takes a tenth of
/// the time so.
struct JSONScanner {
    let bytes: [UInt8]
    let path: String
    private(set) var position: Int
    private let end: Int

    /// - Parameter path: The file that errors are about.
    init(_ bytes: [UInt8], path: String) {
        self.bytes = bytes
        self.path = path
        position = 0
        end = bytes.count
    }

    /// What a value begins with.
    enum Kind { case object, array, string, other }

    private func error(_ reason: String, at offset: Int? = nil) -> FileError {
        .malformed(path, "is not valid JSON at byte \(offset ?? position): \(reason)")
    }

    @inline(__always)
    private mutating func skipSpace() {
        while position < end, bytes[position] <= 0x20 { position += 1 }
    }

    @inline(__always)
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard position < end, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(FileError) {
        guard take(character) else { throw error("\"\(character)\" was expected") }
    }

    mutating func kind() -> Kind {
        skipSpace()
        guard position < end else { return .other }
        return switch bytes[position] {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        default: .other
        }
    }

    /// Calls `body` at each member of an object with its name; it reads the value.
    mutating func object(_ body: (inout JSONScanner, ArraySlice<UInt8>) throws(FileError) -> Void) throws(FileError) {
        var name: [UInt8] = []
        try expect("{")
        if take("}") { return }
        repeat {
            try string(into: &name)
            try expect(":")
            try body(&self, name[...])
        } while take(",")
        try expect("}")
    }

    /// Calls `body` at each element of an array; it reads the element.
    mutating func array(_ body: (inout JSONScanner) throws(FileError) -> Void) throws(FileError) {
        try expect("[")
        if take("]") { return }
        repeat { try body(&self) } while take(",")
        try expect("]")
    }

    /// Reads a string, in the place of what `content` held.
    mutating func string(into content: inout [UInt8]) throws(FileError) {
        try expect("\"")
        content.removeAll(keepingCapacity: true)
        let start = position
        while position < end {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                for index in start..<position { content.append(bytes[index]) }
                position += 1
                return
            }
            guard byte != UInt8(ascii: "\\"), byte >= 0x20 else { break }
            position += 1
        }
        // Escapes and mistakes are the general reader's.
        position = start
        while position < end, bytes[position] != UInt8(ascii: "\"") {
            position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard position < end else { throw error("the text ends inside a string") }
        position += 1
        let value = try parse(start - 1..<position)
        content += (value.string ?? "").utf8
    }

    /// Reads a whole number.
    mutating func integer() throws(FileError) -> Int {
        skipSpace()
        let start = position
        var value = 0
        while position < end, position - start < 18, bytes[position] &- 0x30 < 10 {
            value = value * 10 + Int(bytes[position] - 0x30)
            position += 1
        }
        guard position > start else { throw error("a whole number of 0 or more was expected") }
        if position < end, [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(bytes[position]) {
            throw error("a whole number of 0 or more was expected")
        }
        return value
    }

    /// Reads a value of any kind.
    mutating func value() throws(FileError) -> JSON {
        skipSpace()
        let start = position
        try skip()
        return try parse(start..<position)
    }

    /// Goes past a value; its inside is not looked at.
    private mutating func skip() throws(FileError) {
        var depth = 0
        repeat {
            skipSpace()
            guard position < end else { throw error("the text ends where a value was expected") }
            switch bytes[position] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""):
                position += 1
                while position < end, bytes[position] != UInt8(ascii: "\"") {
                    position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
                }
                guard position < end else { throw error("the text ends inside a string") }
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard depth > 0 else { throw error("a value was expected") }
            default:
                while position + 1 < end, !Self.endsLiteral(bytes[position + 1]) { position += 1 }
            }
            position += 1
        } while depth > 0
        guard depth == 0 else { throw error("a value was expected") }
    }

    private static func endsLiteral(_ byte: UInt8) -> Bool {
        byte <= 0x20 || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}")
            || byte == UInt8(ascii: ":")
    }

    private func parse(_ range: Range<Int>) throws(FileError) -> JSON {
        do throws(JSONError) {
            return try JSON.parse(Array(bytes[range]))
        } catch {
            throw self.error(error.reason, at: error.offset + range.lowerBound)
        }
    }

    /// Checks that nothing follows.
    mutating func finish() throws(FileError) {
        skipSpace()
        guard position == end else { throw error("there is text after the end of the value") }
    }
}
