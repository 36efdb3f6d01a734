/// What a text is split at.
enum Delimiter: Sendable {
    case text(Text)
    case pattern(Pattern)
    /// Single characters.
    case characters(CharacterSet)

    /// The first match in a piece of a text, which alone is seen, that begins at or after `position`.
    @inline(__always)
    func firstMatch(in text: Text, _ piece: Range<Int>, from position: Int) -> Range<Int>? {
        switch self {
        case .pattern(let pattern): return pattern.firstMatch(in: text, piece, from: position)
        case .characters(let set):
            var start = position
            while start < piece.upperBound {
                if set.contains(text[start]) { return start..<start + 1 }
                start += 1
            }
            return nil
        case .text(let delimiter):
            guard let first = delimiter.first else { return nil }
            var start = position
            while start <= piece.upperBound - delimiter.count {
                if text[start] == first, delimiter.indices.allSatisfy({ text[start + $0] == delimiter[$0] }) {
                    return start..<start + delimiter.count
                }
                start += 1
            }
            return nil
        }
    }
}

/// Splits pieces at a delimiter.
struct Splitter: Sendable {
    /// What becomes of the delimiters.
    enum Behavior: String, Sendable, CaseIterable {
        case removed = "Removed"
        case isolated = "Isolated"
        case mergedWithPrevious = "MergedWithPrevious"
        case mergedWithNext = "MergedWithNext"
        case contiguous = "Contiguous"
    }

    var delimiter: Delimiter
    var behavior: Behavior
    /// Whether what matches is kept, and what lies between is the delimiter.
    var isInverted = false

    func split(_ pieces: inout Pieces) {
        pieces.replaceEach { text, piece, result in
            var position = piece.lowerBound
            var parts = PartList(behavior: behavior)
            while position < piece.upperBound {
                let match = delimiter.firstMatch(in: text, piece, from: position)
                let start = match?.lowerBound ?? piece.upperBound
                if position < start { parts.add(position..<start, isDelimiter: isInverted) }
                guard let match else { break }
                parts.add(match, isDelimiter: !isInverted)
                position = match.upperBound
            }
            parts.append(of: text, to: &result)
        }
    }
}

/// The parts of one piece, delimiters joined or left out as the behaviour says.
private struct PartList {
    let behavior: Splitter.Behavior
    private var ranges: [Range<Int>] = []
    private var lastIsDelimiter = false
    private var cutsStart = false

    init(behavior: Splitter.Behavior) { self.behavior = behavior }

    mutating func add(_ range: Range<Int>, isDelimiter: Bool) {
        defer { lastIsDelimiter = isDelimiter }
        let last = ranges.count - 1
        switch behavior {
        case .removed:
            if !isDelimiter {
                ranges.append(range)
            } else if ranges.isEmpty {
                cutsStart = true
            }
        case .isolated: ranges.append(range)
        case .contiguous where last >= 0 && isDelimiter == lastIsDelimiter,
            .mergedWithPrevious where last >= 0 && isDelimiter && !lastIsDelimiter,
            .mergedWithNext where last >= 0 && !isDelimiter && lastIsDelimiter:
            ranges[last] = ranges[last].lowerBound..<range.upperBound
        default: ranges.append(range)
        }
    }

    func append(of text: Text, to result: inout Pieces) {
        if cutsStart { result.markCut() }
        for range in ranges { result.append(text[range]) }
    }
}
