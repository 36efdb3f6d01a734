/// The character references of HTML, as Python's `html.unescape` reads them.
enum HTMLEntities {
    /// The names, with the semicolon where it belongs to them, and their texts.
    private static let named: [[UInt8]: Text] = {
        var named: [[UInt8]: Text] = [:]
        let bytes = unpackTable(EntityTable.packed, byteCount: EntityTable.byteCount)
        for line in bytes.split(separator: 0) {
            guard let space = line.firstIndex(of: UInt8(ascii: " ")) else { continue }
            named[Array(line[..<space])] = Text(String(decoding: line[(space + 1)...], as: UTF8.self))
        }
        return named
    }()

    /// The longest name that Python looks for.
    private static let longestName = 32

    static func unescape(_ text: Text) -> Text { replaceReferences(in: text) { reference(text, $0 + 1) } }

    /// The text with what `replacement` gives for an ampersand at a place, up to the end that it gives.
    static func replaceReferences(in text: Text, by replacement: (_ place: Int) -> (Text, end: Int)?) -> Text {
        guard text.contains("&") else { return text }
        var result = Text()
        result.reserveCapacity(text.count)
        var position = 0
        while position < text.count {
            if text[position] == "&", let (replaced, end) = replacement(position) {
                result += replaced
                position = end
            } else {
                result.append(text[position])
                position += 1
            }
        }
        return result
    }

    /// The text of the reference whose ampersand stands before `start`, and where it ends.
    private static func reference(_ text: Text, _ start: Int) -> (Text, end: Int)? {
        guard start < text.count else { return nil }
        if text[start] == "#" { return number(text, start + 1) }
        var end = start
        while end < text.count, end - start < longestName, !endsName(text[end]) { end += 1 }
        guard end > start else { return nil }
        if end < text.count, text[end] == ";" { end += 1 }
        let name = text[start..<end]
        if let whole = named[Array(name).bytes] { return (whole, end) }
        // As a browser does, the longest name at the start counts.
        for length in stride(from: name.count - 1, through: 2, by: -1) {
            if let prefix = named[Array(name.prefix(length)).bytes] { return (prefix, start + length) }
        }
        return nil
    }

    private static func endsName(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\t", "\n", "\u{C}", " ", "<", "&", "#", ";": true
        default: false
        }
    }

    /// The same of a reference by number, whose digits begin at `start`.
    private static func number(_ text: Text, _ start: Int) -> (Text, Int)? {
        let isHexadecimal = start < text.count && (text[start] == "x" || text[start] == "X")
        let radix: UInt32 = isHexadecimal ? 16 : 10
        var end = isHexadecimal ? start + 1 : start
        let first = end
        var value: UInt32 = 0
        while end < text.count, let digit = digit(text[end], isHexadecimal) {
            value = min(value * radix + digit, 0x11_0000)
            end += 1
        }
        guard end > first else { return nil }
        if end < text.count, text[end] == ";" { end += 1 }
        return (character(value), end)
    }

    private static func digit(_ scalar: Unicode.Scalar, _ isHexadecimal: Bool) -> UInt32? {
        switch scalar {
        case "0"..."9": scalar.value - 0x30
        case "a"..."f" where isHexadecimal: scalar.value - 0x61 + 10
        case "A"..."F" where isHexadecimal: scalar.value - 0x41 + 10
        default: nil
        }
    }

    /// What a number stands for: Windows' characters in the place of controls, nothing for what is no character.
    static func character(_ value: UInt32) -> Text {
        switch value {
        case 0: return ["\u{FFFD}"]
        case 0x80...0x9F: return [SingleByteEncoding.windows1252.character(value)]
        case 0x0D, 0x09, 0x0A, 0x0C: return Unicode.Scalar(value).map { [$0] } ?? []
        case 0x01...0x1F, 0x7F, 0xFDD0...0xFDEF: return []
        default:
            guard let scalar = Unicode.Scalar(value) else { return ["\u{FFFD}"] }
            return value & 0xFFFE == 0xFFFE ? [] : [scalar]
        }
    }

    /// The text of a name with its semicolon, in the spelling of `ftfy`: names of small letters may be in capitals,
    /// and their text is then too.
    static func strict(_ name: ArraySlice<Unicode.Scalar>) -> Text? {
        let bytes = Array(name).bytes
        if let text = named[bytes] { return text }
        let hasSmall = bytes.contains { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
        guard !hasSmall, let small = named[bytes.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }],
            // Where `html.unescape` finds a shorter name in it, it is left alone.
            reference(["&"] + name, 1) == nil
        else { return nil }
        return small.flatMap { Array($0.properties.uppercaseMapping.unicodeScalars) }
    }
}
