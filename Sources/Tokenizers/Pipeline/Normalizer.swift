/// A step that changes a text before it is split, as `tokenizers` calls it.
indirect enum Normalizer: Sendable {
    case sequence([Normalizer])
    case form(Normalization.Form)
    case lowercase
    case replace(Delimiter, with: Text)
    case strip(left: Bool, right: Bool)
    case prepend(Text)
    case precompiled(CharacterMap)

    func normalize(_ text: Text) -> Text {
        switch self {
        case .sequence(let steps): return steps.reduce(text) { $1.normalize($0) }
        case .form(let form): return Normalization.normalize(text, form)
        case .lowercase: return text.lowercased
        case .replace(let delimiter, let replacement): return Self.replace(delimiter, replacement, text)
        case .strip(let left, let right):
            let start = left ? text.firstIndex { !$0.isSpace } ?? text.count : 0
            let end = right ? (text.lastIndex { !$0.isSpace }).map { $0 + 1 } ?? start : text.count
            return Array(text[start..<max(start, end)])
        case .prepend(let prefix): return text.isEmpty ? text : prefix + text
        case .precompiled(let map): return Self.precompiled(map, text)
        }
    }

    /// How many characters one may become at most, or more; what a file may ask for has a limit.
    var greatestGrowth: Double {
        switch self {
        case .sequence(let steps): steps.reduce(1) { $0 * $1.greatestGrowth }
        // By the standard, 18 for U+FDFA.
        case .form(let form): form == .composed ? 3 : form == .decomposed ? 4 : 18
        case .lowercase: 3
        case .replace(_, let replacement): max(1, Double(replacement.count))
        case .strip: 1
        case .prepend(let prefix): 1 + Double(prefix.count)
        case .precompiled(let map): max(1, Double(map.longestReplacement))
        }
    }

    private static func replace(_ delimiter: Delimiter, _ replacement: Text, _ text: Text) -> Text {
        var result = Text()
        result.reserveCapacity(text.count)
        var position = 0
        while let match = delimiter.firstMatch(in: text, text.indices, from: position) {
            result += text[position..<match.lowerBound]
            result += replacement
            position = match.upperBound
        }
        if position == 0 { return text }
        result += text[position...]
        return result
    }

    /// Applies SentencePiece's rules as `tokenizers` does: to a short cluster of characters as a whole where its start
    /// has a rule, else to each character.
    private static func precompiled(_ map: CharacterMap, _ text: Text) -> Text {
        var result = Text()
        result.reserveCapacity(text.count)
        var bytes: [UInt8] = []
        var start = 0
        while start < text.count {
            let end = endOfCluster(text, start)
            bytes.removeAll(keepingCapacity: true)
            for index in start..<end { text[index].append(to: &bytes) }
            if bytes.count < 6, let replacement = map.shortest(bytes.span) {
                result += replacement
            } else {
                for scalar in text[start..<end] {
                    bytes.removeAll(keepingCapacity: true)
                    scalar.append(to: &bytes)
                    if let replacement = map.shortest(bytes.span) {
                        result += replacement
                    } else {
                        result.append(scalar)
                    }
                }
            }
            start = end
        }
        return result
    }

    /// Where the cluster of characters (UAX 29) that begins at `start` ends.
    private static func endOfCluster(_ text: Text, _ start: Int) -> Int {
        guard start + 1 < text.count else { return text.count }
        // Two characters of ASCII are two clusters, except at the end of a line.
        if text[start].isASCII, text[start + 1].isASCII {
            return text[start] == "\r" && text[start + 1] == "\n" ? start + 2 : start + 1
        }
        // No cluster of interest is longer; one that is, is longer than six bytes in any case.
        let window = Array(text[start..<min(start + 8, text.count)]).string
        return start + (window.first.map { $0.unicodeScalars.count } ?? 1)
    }
}
