/// What a JSON text breaks, and where.
package struct JSONError: Error {
    package var reason: String
    package var offset: Int
}

extension JSON {
    /// Parses one JSON text (RFC 8259, and Python's `NaN` and `Infinity`). A name may stand once in an object.
    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSON {
        var parser = JSONParser(bytes: bytes)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.error("there is text after the end of the value") }
        return value
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    var position = 0
    /// Deeper nesting than any real file has would end in a full stack.
    private static let deepest = 100
    /// A value of two bytes takes some fifty in memory.
    private static let mostValues = 2_000_000
    private var valueCount = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    func error(_ reason: String) -> JSONError { JSONError(reason: reason, offset: position) }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func value(depth: Int) throws(JSONError) -> JSON {
        guard depth < Self.deepest else { throw error("the values are nested too deeply") }
        valueCount += 1
        guard valueCount <= Self.mostValues else { throw error("there are more than \(Self.mostValues) values") }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case nil: throw error("the text ends where a value was expected")
        default: return try literal()
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSON {
        position += 1
        var members: [JSON.Member] = []
        var names: Set<BytewiseText> = []
        skipSpace()
        if take("}") { return .object([]) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw error("a name in quotes was expected") }
            let name = try string()
            guard names.insert(BytewiseText(name)).inserted else { throw error("the name \"\(name)\" stands twice") }
            skipSpace()
            guard take(":") else { throw error("a colon was expected") }
            members.append(JSON.Member(name, try value(depth: depth + 1)))
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw error("a comma or a closing brace was expected") }
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSON {
        position += 1
        var elements: [JSON] = []
        skipSpace()
        if take("]") { return .array([]) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw error("a comma or a closing bracket was expected") }
        }
    }

    private mutating func literal() throws(JSONError) -> JSON {
        let start = position
        while let byte = next, Self.belongsToLiteral(byte) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if let first = text.utf8.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first) {
            if let integer = Int(text) { return .integer(integer) }
            // Swift also reads hexadecimal numbers and names, which JSON has not.
            let isDecimal = text.utf8.allSatisfy { $0 < 0x40 || $0 | 0x20 == UInt8(ascii: "e") }
            if isDecimal, let number = Double(text) { return .number(number) }
        }
        switch text {
        case "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "NaN": return .number(.nan)
        case "Infinity": return .number(.infinity)
        case "-Infinity": return .number(-.infinity)
        default:
            position = start
            throw error("a value was expected")
        }
    }

    private static func belongsToLiteral(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        var content: [UInt8] = []
        while true {
            // All up to the next quote, escape or control character at once.
            let start = position
            while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
                position += 1
            }
            content += bytes[start..<position]
            guard let byte = next else { throw error("the text ends inside a string") }
            position += 1
            if byte == UInt8(ascii: "\\") {
                try escape(into: &content)
            } else if byte == UInt8(ascii: "\"") {
                guard let string = String(validating: content, as: UTF8.self) else {
                    throw error("a string is not UTF-8")
                }
                return string
            } else {
                throw error("a control character stands in a string")
            }
        }
    }

    private mutating func escape(into content: inout [UInt8]) throws(JSONError) {
        let code = next
        position += 1
        switch code {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(code ?? 0)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"): content += Array(String(try unicodeEscape()).utf8)
        default: throw error("an unknown escape stands in a string")
        }
    }

    private mutating func unicodeEscape() throws(JSONError) -> Character {
        let unit = try hexadecimal()
        if (0xD800..<0xDC00).contains(unit), next == UInt8(ascii: "\\"), position + 1 < bytes.count,
            bytes[position + 1] == UInt8(ascii: "u")
        {
            position += 2
            let low = try hexadecimal()
            if (0xDC00..<0xE000).contains(low),
                let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
            {
                return Character(scalar)
            }
        }
        return Character(Unicode.Scalar(unit) ?? "\u{FFFD}")
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        // Swift also reads digits behind a sign.
        guard position + 4 <= bytes.count, bytes[position] != UInt8(ascii: "+"), bytes[position] != UInt8(ascii: "-"),
            let unit = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw error("four hexadecimal digits were expected") }
        position += 4
        return unit
    }
}
