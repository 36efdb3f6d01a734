/// Reads a regular expression into alternatives of plain sequences.
struct PatternParser {
    private typealias Step = Pattern.Step
    private let source: Text
    private var position = 0
    private var ignoresCase = false
    private var depth = 0

    /// Groups multiply; more alternatives than any tokenizer's pattern has are refused.
    private static let mostAlternatives = 1000
    private static let mostSteps = 1000
    private static let deepest = 20

    private let version: Int

    init(_ source: String, unicode version: Int) { (self.source, self.version) = (Text(source), version) }

    private var next: Unicode.Scalar? { position < source.count ? source[position] : nil }

    private mutating func take(_ text: String) -> Bool {
        let expected = Text(text)
        guard source.dropFirst(position).starts(with: expected) else { return false }
        position += expected.count
        return true
    }

    private func error(_ reason: String) -> PatternError { PatternError(reason: reason) }

    mutating func whole() throws(PatternError) -> [[Pattern.Step]] {
        if take("(?i)") { ignoresCase = true }
        let alternatives = try self.alternatives()
        guard next == nil else { throw error("has a parenthesis too many") }
        return alternatives
    }

    private mutating func alternatives() throws(PatternError) -> [[Step]] {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.deepest else { throw error("is nested too deeply") }
        var all = try sequence()
        while take("|") { all += try sequence() }
        guard all.count <= Self.mostAlternatives else { throw error("has too many alternatives") }
        return all
    }

    private mutating func sequence() throws(PatternError) -> [[Step]] {
        var sequences: [[Step]] = [[]]
        while let scalar = next, scalar != "|", scalar != ")" {
            let parts = try element()
            guard sequences.count * parts.count <= Self.mostAlternatives else {
                throw error("has too many alternatives")
            }
            sequences = sequences.flatMap { sequence in parts.map { sequence + $0 } }
            guard sequences.reduce(0, { $0 + $1.count }) <= Self.mostSteps else { throw error("is too long") }
        }
        return sequences
    }

    private mutating func element() throws(PatternError) -> [[Step]] {
        if take("(?=") { return try lookahead(isNegated: false) }
        if take("(?!") { return try lookahead(isNegated: true) }
        if take("^") { return [[.start]] }
        if take("$") { return [[.end]] }
        if next == "(" { return try group() }
        let set = try characters()
        let (least, most) = try repetition()
        return [[.characters(set, least: least, most: most)]]
    }

    private mutating func lookahead(isNegated: Bool) throws(PatternError) -> [[Step]] {
        let alternatives = try self.alternatives()
        guard take(")") else { throw error("has a group without an end") }
        return [[.lookahead(alternatives, isNegated: isNegated)]]
    }

    private mutating func group() throws(PatternError) -> [[Step]] {
        let before = ignoresCase
        if take("(?i:") {
            ignoresCase = true
        } else if !take("(?:") {
            position += 1
            guard next != "?" else { throw error("has a kind of group that is not known") }
        }
        let alternatives = try self.alternatives()
        guard take(")") else { throw error("has a group without an end") }
        ignoresCase = before
        if take("?") { return alternatives + [[]] }
        if let scalar = next, scalar == "*" || scalar == "+" || scalar == "{" {
            throw error("repeats a group; a repeated set of characters can be read")
        }
        return alternatives
    }

    private mutating func repetition() throws(PatternError) -> (Int, Int) {
        var range = (1, 1)
        if take("*") {
            range = (0, Int.max)
        } else if take("+") {
            range = (1, Int.max)
        } else if take("?") {
            range = (0, 1)
        } else if take("{") {
            let least = number()
            var most = least
            if take(",") { most = number() ?? Int.max }
            guard take("}"), least != nil || most != nil, let most, least ?? 0 <= most else {
                throw error("has a repetition that cannot be read")
            }
            range = (least ?? 0, most)
        } else {
            return range
        }
        if let scalar = next, scalar == "?" || scalar == "+" || scalar == "*" {
            throw error("has a lazy, possessive or repeated repetition")
        }
        return range
    }

    private mutating func number() -> Int? {
        let start = position
        while let scalar = next, ("0"..."9").contains(scalar), position - start < 6 { position += 1 }
        return Int(Text(source[start..<position]).string)
    }

    private mutating func characters() throws(PatternError) -> CharacterSet {
        guard let scalar = next else { throw error("ends too early") }
        position += 1
        switch scalar {
        case ".": return .anything
        case "[": return try bracketed()
        case "\\":
            switch try escape() {
            case .scalar(let scalar): return single(scalar)
            case .kind(let kind, let isNegated): return CharacterSet(kind, isNegated: isNegated)
            }
        case "*", "+", "?": throw error("repeats nothing")
        default: return single(scalar)
        }
    }

    private func single(_ scalar: Unicode.Scalar) -> CharacterSet {
        var set = CharacterSet([scalar])
        if ignoresCase { set.ignoreCase() }
        return set
    }

    private enum Escape {
        case scalar(Unicode.Scalar)
        case kind(ScalarKind, isNegated: Bool)
    }

    private mutating func escape() throws(PatternError) -> Escape {
        guard let scalar = next else { throw error("ends with a backslash") }
        position += 1
        switch scalar {
        case "s", "S": return .kind(.space, isNegated: scalar == "S")
        case "w", "W": return .kind(.word, isNegated: scalar == "W")
        case "d", "D": return .kind(.named("Nd", until: version) ?? .number, isNegated: scalar == "D")
        case "p", "P":
            guard take("{") else { throw error("has a \\p without braces") }
            let isNegated = take("^") != (scalar == "P")
            let start = position
            while let scalar = next, scalar != "}" { position += 1 }
            let name = Text(source[start..<position]).string
            guard take("}"), let kind = ScalarKind.named(name, until: version) else {
                throw error("asks for the property \"\(name)\"; general categories such as L or Nd are known")
            }
            return .kind(kind, isNegated: isNegated)
        case "n": return .scalar("\n")
        case "r": return .scalar("\r")
        case "t": return .scalar("\t")
        case "f": return .scalar("\u{C}")
        case "v": return .scalar("\u{B}")
        case "u", "x": return .scalar(try hexadecimal(digits: scalar == "u" ? 4 : 2))
        case "0"..."9", "a"..."z", "A"..."Z": throw error("has the escape \\\(scalar), which is not known")
        default: return .scalar(scalar)
        }
    }

    private mutating func hexadecimal(digits: Int) throws(PatternError) -> Unicode.Scalar {
        let isBraced = take("{")
        let start = position
        while let scalar = next, position - start < (isBraced ? 6 : digits), scalar.properties.isASCIIHexDigit {
            position += 1
        }
        guard let value = UInt32(Text(source[start..<position]).string, radix: 16), let scalar = Unicode.Scalar(value),
            !isBraced || take("}")
        else { throw error("has a character by number that cannot be read") }
        return scalar
    }

    private mutating func bracketed() throws(PatternError) -> CharacterSet {
        var set = CharacterSet()
        let isNegated = take("^")
        var isFirst = true
        while let scalar = next, scalar != "]" || isFirst {
            isFirst = false
            position += 1
            guard scalar != "[", !(scalar == "&" && next == "&") else {
                throw error("has a set inside a set, which is not known")
            }
            var low = scalar
            if scalar == "\\" {
                switch try escape() {
                case .scalar(let scalar): low = scalar
                case .kind(let kind, let isNegated):
                    set.insert(kind, isNegated: isNegated)
                    continue
                }
            }
            var high = low
            if next == "-", position + 1 < source.count, source[position + 1] != "]" {
                position += 1
                high = source[position]
                position += 1
                if high == "\\" {
                    guard case .scalar(let scalar) = try escape() else { throw error("has a range without an end") }
                    high = scalar
                }
            }
            guard low <= high else { throw error("has a range that runs backward") }
            set.insert(low.value...high.value)
        }
        guard take("]") else { throw error("has a set without an end") }
        if ignoresCase { set.ignoreCase() }
        if isNegated { set.negate() }
        return set
    }
}
