/// A token that is found in the text before the model sees it.
struct AddedToken: Sendable, Equatable {
    var content: String
    var id: Int32 = 0
    /// Whether spaces before it belong to it.
    var takesSpaceBefore = false
    /// Whether spaces behind it belong to it.
    var takesSpaceAfter = false
    /// Whether it is found in the normalized text.
    var isNormalized = false
    /// Whether it counts only where no word goes on before or behind it.
    var isWord = false
    var isSpecial = true
}

/// Finds added tokens: the leftmost first, of those the longest, as `tokenizers` does.
struct AddedTokens: Sendable {
    private var candidates: [Unicode.Scalar: [(content: Text, token: AddedToken)]] = [:]
    private var firsts = CharacterSet()

    /// A stretch of text, or a token in its place.
    struct Section {
        var range: Range<Int>
        var id: Int32?
    }

    var isEmpty: Bool { candidates.isEmpty }

    /// - Parameter tokens: Tokens and what of them is looked for.
    init(_ tokens: [(content: Text, token: AddedToken)]) {
        for (content, token) in tokens {
            guard let first = content.first else { continue }
            candidates[first, default: []].append((content, token))
        }
        for first in candidates.keys {
            candidates[first]?.sort { $0.content.count > $1.content.count }
            firsts.insert(first.value...first.value)
        }
    }

    /// The sections of a text, which cover it.
    func sections(of text: Text) -> [Section] {
        var sections: [Section] = []
        var start = 0
        var position = 0
        while position < text.count {
            guard firsts.contains(text[position]), let (length, token) = match(text, position) else {
                position += 1
                continue
            }
            let found = position..<position + length
            position = found.upperBound
            if token.isWord, !Self.isWord(text, found) { continue }
            var range = found
            if token.takesSpaceBefore {
                var lower = range.lowerBound
                while lower > start, text[lower - 1].isSpace { lower -= 1 }
                range = lower..<range.upperBound
            }
            if token.takesSpaceAfter {
                var upper = range.upperBound
                while upper < text.count, text[upper].isSpace { upper += 1 }
                range = range.lowerBound..<upper
                position = upper
            }
            if start < range.lowerBound { sections.append(Section(range: start..<range.lowerBound)) }
            sections.append(Section(range: range, id: token.id))
            start = range.upperBound
        }
        if start < text.count { sections.append(Section(range: start..<text.count)) }
        return sections
    }

    private func match(_ text: Text, _ position: Int) -> (Int, AddedToken)? {
        guard let candidates = candidates[text[position]] else { return nil }
        for (content, token) in candidates where content.count <= text.count - position {
            if content.indices.allSatisfy({ text[position + $0] == content[$0] }) { return (content.count, token) }
        }
        return nil
    }

    /// Whether no word goes on before or behind the range.
    private static func isWord(_ text: Text, _ range: Range<Int>) -> Bool {
        func continues(_ scalar: Unicode.Scalar) -> Bool {
            ScalarKind.word.contains(scalar) || scalar.properties.isJoinControl
        }
        return (range.lowerBound == 0 || !continues(text[range.lowerBound - 1]))
            && (range.upperBound == text.count || !continues(text[range.upperBound]))
    }
}
