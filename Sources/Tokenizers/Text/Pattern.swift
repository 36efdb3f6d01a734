/// A regular expression in the part of Oniguruma's language that tokenizers are written in: alternatives, groups, sets
/// of characters, Unicode's categories, greedy repetition of one character, and a look ahead.
///
/// Groups are multiplied out when the pattern is read, which leaves alternatives of plain sequences; the first that
/// matches wins, as in a backtracking engine.
struct Pattern: Sendable {
    /// One place of a sequence.
    enum Step: Sendable {
        /// From `least` to `most` characters of a set, as many as possible first.
        case characters(CharacterSet, least: Int, most: Int)
        case lookahead([[Step]], isNegated: Bool)
        /// Where a line begins.
        case start
        /// Where a line ends.
        case end
    }

    let alternatives: [[Step]]

    /// The version of Unicode whose categories the Oniguruma of `tokenizers` 0.23 knows.
    static let onigurumaVersion = 16

    /// Reads `source`; the error says in words what of it is not known.
    ///
    /// - Parameter version: The version of Unicode that categories are of.
    init(_ source: String, unicode version: Int = onigurumaVersion) throws(PatternError) {
        var parser = PatternParser(source, unicode: version)
        alternatives = try parser.whole()
        for alternative in alternatives where Self.leastLength(alternative) == 0 {
            throw PatternError(reason: "matches the empty text")
        }
    }

    private static func leastLength(_ steps: [Step]) -> Int {
        steps.reduce(0) { sum, step in
            if case .characters(_, let least, _) = step { sum + least } else { sum }
        }
    }

    /// The first match in a piece of a text, which alone is seen, that begins at or after `position`.
    func firstMatch(in text: Text, _ piece: Range<Int>, from position: Int) -> Range<Int>? {
        var start = position
        while start < piece.upperBound {
            if let end = match(in: text, piece, at: start) { return start..<end }
            start += 1
        }
        return nil
    }

    /// The end of the match that begins at `start`.
    @inline(__always)
    private func match(in text: Text, _ piece: Range<Int>, at start: Int) -> Int? {
        let first = text[start]
        for steps in alternatives {
            if case .characters(let set, let least, _) = steps[0], least > 0, !set.contains(first) { continue }
            if let end = Self.match(steps, 0, text, piece, start) { return end }
        }
        return nil
    }

    private static func match(
        _ steps: [Step], _ index: Int, _ text: Text, _ piece: Range<Int>, _ start: Int
    ) -> Int? {
        var position = start
        var index = index
        while index < steps.count {
            switch steps[index] {
            case .start: if position > piece.lowerBound, text[position - 1] != "\n" { return nil }
            case .end: if position < piece.upperBound, text[position] != "\n" { return nil }
            case .lookahead(let alternatives, let isNegated):
                let matches = alternatives.contains { match($0, 0, text, piece, position) != nil }
                if matches == isNegated { return nil }
            case .characters(let set, let least, let most):
                let room = piece.upperBound - position
                let limit = most < room ? position + most : piece.upperBound
                var end = position
                while end < limit, set.contains(text[end]) { end += 1 }
                guard end - position >= least else { return nil }
                if index + 1 == steps.count { return end }
                if least == most {
                    position = end
                    break
                }
                while end >= position + least {
                    if let found = match(steps, index + 1, text, piece, end) { return found }
                    end -= 1
                }
                return nil
            }
            index += 1
        }
        return position
    }
}

/// What a regular expression asks for that is not known.
struct PatternError: Error {
    /// A clause whose subject is the pattern.
    var reason: String
}
