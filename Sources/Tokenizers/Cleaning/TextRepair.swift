/// The repairs of `ftfy.fix_text` in its order, until nothing changes: character references, text in a wrong encoding,
/// controls of Latin 1, ligatures, widths, quotes, line ends, escapes of terminals, controls, and the composed form.
///
/// Source: R. Speer, ftfy 6.3 (Apache 2.0), https://ftfy.readthedocs.io.
enum TextRepair {
    static func repair(_ text: Text) -> Text {
        if isPlain(text) { return text }
        var result = Text()
        var unescapes = true
        var start = 0
        while start < text.count {
            let lineEnd = text[start...].firstIndex(of: "\n").map { $0 + 1 } ?? text.count
            let end = min(lineEnd, start + longestSegment)
            let line = text[start..<end]
            // From the first angle bracket on, the text passes for HTML.
            if line.contains("<") { unescapes = false }
            result += repairLine(Array(line), unescapes)
            start = end
        }
        return result
    }

    /// Longer lines are repaired in parts.
    private static let longestSegment = 1_000_000

    /// Whether nothing in the text is ever repaired.
    private static func isPlain(_ text: Text) -> Bool {
        text.allSatisfy { $0.value &- 0x20 < 0x5F && $0 != "&" || $0 == "\n" || $0 == "\t" }
    }

    /// A text grows at each turn only where references hide references; it never goes on for long.
    private static let mostTurns = 1000

    private static func repairLine(_ line: Text, _ unescapes: Bool) -> Text {
        var text = line
        for _ in 0..<mostTurns {
            let before = text
            if unescapes { text = unescape(text) }
            text = EncodingRepair.repair(text)
            text = replaceCharacters(text)
            text = removeEscapes(text)
            text.removeAll(where: isRemoved)
            text = Normalization.normalize(text, .composed)
            if text == before { break }
        }
        return text
    }

    /// References with a semicolon, `&#?[0-9A-Za-z]{1,24};`.
    private static func unescape(_ text: Text) -> Text {
        HTMLEntities.replaceReferences(in: text) { reference(text, $0) }
    }

    private static func reference(_ text: Text, _ ampersand: Int) -> (Text, end: Int)? {
        let isNumber = ampersand + 1 < text.count && text[ampersand + 1] == "#"
        let start = ampersand + (isNumber ? 2 : 1)
        var end = start
        while end < text.count, end - start < 24, text[end].isASCIIAlphanumeric { end += 1 }
        guard end > start, end < text.count, text[end] == ";" else { return nil }
        end += 1
        if !isNumber { return HTMLEntities.strict(text[start..<end]).map { ($0, end) } }
        let unescaped = HTMLEntities.unescape(Array(text[ampersand..<end]))
        return unescaped.contains(";") ? nil : (unescaped, end)
    }

    /// Controls of Latin 1, ligatures, widths, quotes and line ends.
    private static func replaceCharacters(_ text: Text) -> Text {
        var result = Text()
        result.reserveCapacity(text.count)
        for (index, scalar) in text.enumerated() {
            switch scalar.value {
            case 0x0D:
                // The line feed behind it comes by itself.
                if index + 1 == text.count || text[index + 1] != "\n" { result.append("\n") }
            case ..<0x80: result.append(scalar)
            case 0x80...0x9F: append(SingleByteEncoding.windows1252.character(scalar.value), to: &result)
            default: append(scalar, to: &result)
            }
        }
        return result
    }

    private static func append(_ scalar: Unicode.Scalar, to result: inout Text) {
        switch scalar.value {
        case 0x2BC, 0x2018...0x201B: result.append("'")
        case 0x201C...0x201F: result.append("\"")
        case 0x2028, 0x2029: result.append("\n")
        case 0x3000: result.append(" ")
        case 0xFF01...0xFFEF: result += Normalization.normalize([scalar], .compatibleComposed)
        case 0x132, 0x133, 0x149, 0x1C4...0x1CC, 0x1F1...0x1F3, 0xFB00...0xFB06: result += ligature(scalar)
        default: result.append(scalar)
        }
    }

    /// The letters of a ligature or digraph.
    private static func ligature(_ scalar: Unicode.Scalar) -> Text {
        // The long s and the apostrophe letter are kept, which the compatible form would change too.
        switch scalar.value {
        case 0x149: return ["'", "n"]
        case 0xFB05: return ["\u{17F}", "t"]
        default: return Normalization.normalize([scalar], .compatibleComposed)
        }
    }

    /// Escapes that colour a terminal: `ESC [ digits and semicolons, a letter`.
    private static func removeEscapes(_ text: Text) -> Text {
        guard text.contains("\u{1B}") else { return text }
        var result = Text()
        var position = 0
        while position < text.count {
            if text[position] == "\u{1B}", position + 1 < text.count, text[position + 1] == "[" {
                var end = position + 2
                while end < text.count, text[end] == ";" || text[end].properties.generalCategory == .decimalNumber {
                    end += 1
                }
                if end < text.count, text[end].isASCIIAlphanumeric, !("0"..."9").contains(text[end]) {
                    position = end + 1
                    continue
                }
            }
            result.append(text[position])
            position += 1
        }
        return result
    }

    private static func isRemoved(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...8, 0x0B, 0x0E...0x1F, 0x7F, 0x206A...0x206F, 0xFEFF, 0xFFF9...0xFFFC: true
        default: false
        }
    }
}

extension Unicode.Scalar {
    var isASCIIAlphanumeric: Bool {
        switch self {
        case "0"..."9", "a"..."z", "A"..."Z": true
        default: false
        }
    }
}
