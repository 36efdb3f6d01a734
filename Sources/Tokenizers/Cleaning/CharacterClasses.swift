/// What a character is to `ftfy` when it looks for text in a wrong encoding: it may be of several classes.
///
/// The bits are in the order of `tools/make_unicode_tables.py`.
struct CharacterClasses: OptionSet, Sendable {
    let rawValue: UInt32

    /// Dashes, the ellipsis and what else is common anywhere.
    static let common = CharacterClasses(rawValue: 1 << 0)
    /// The controls U+0080 to U+009F.
    static let control = CharacterClasses(rawValue: 1 << 1)
    /// Characters that hardly occur but in text in a wrong encoding.
    static let bad = CharacterClasses(rawValue: 1 << 2)
    static let law = CharacterClasses(rawValue: 1 << 3)
    static let currency = CharacterClasses(rawValue: 1 << 4)
    static let opening = CharacterClasses(rawValue: 1 << 5)
    static let closing = CharacterClasses(rawValue: 1 << 6)
    static let numeric = CharacterClasses(rawValue: 1 << 7)
    /// Letters of which faces are made.
    static let face = CharacterClasses(rawValue: 1 << 8)
    static let accentedCapital = CharacterClasses(rawValue: 1 << 9)
    static let accentedSmall = CharacterClasses(rawValue: 1 << 10)
    /// Capitals of Greek, Cyrillic and Icelandic, which may well stand at a word's end.
    static let plainCapital = CharacterClasses(rawValue: 1 << 11)
    static let plainSmall = CharacterClasses(rawValue: 1 << 12)
    static let box = CharacterClasses(rawValue: 1 << 13)

    /// What the first byte of two in UTF-8 looks like in a single-byte encoding, and of three, and of four.
    static let firstOfTwo = CharacterClasses(rawValue: 1 << 14)
    static let firstOfThree = CharacterClasses(rawValue: 1 << 15)
    static let firstOfFour = CharacterClasses(rawValue: 1 << 16)
    /// What a later byte looks like, a space for 0xA0 among them.
    static let continuation = CharacterClasses(rawValue: 1 << 17)
    /// The same without what often stands for itself.
    static let strictContinuation = CharacterClasses(rawValue: 1 << 18)

    /// Classes by rule, not by table: all but a line feed, letters of ASCII, what is none, Python's `\s` and `\w`.
    static let notLineFeed = CharacterClasses(rawValue: 1 << 26)
    static let asciiCapital = CharacterClasses(rawValue: 1 << 27)
    static let asciiSmall = CharacterClasses(rawValue: 1 << 28)
    static let notASCIILetter = CharacterClasses(rawValue: 1 << 29)
    static let space = CharacterClasses(rawValue: 1 << 30)
    static let word = CharacterClasses(rawValue: 1 << 31)

    /// The table: an array for the low code points, of which most lie close together, and the few above them.
    private static let table: (low: [UInt32], high: [UInt32: UInt32]) = {
        var low = [UInt32](repeating: 0, count: 0x2600)
        var high: [UInt32: UInt32] = [:]
        var reader = VarintReader(unpackTable(MojibakeTable.packed, byteCount: MojibakeTable.byteCount))
        var code: UInt32 = 0
        while !reader.isAtEnd {
            code += reader.next()
            let classes = reader.next()
            if code < low.count { low[Int(code)] = classes } else { high[code] = classes }
        }
        return (low, high)
    }()

    /// The classes of `scalar` that the table gives: none of most characters.
    static func of(_ scalar: Unicode.Scalar) -> CharacterClasses {
        let value = scalar.value
        if value < table.low.count { return CharacterClasses(rawValue: table.low[Int(value)]) }
        return value < 0xF000 || value > 0xFFFF ? [] : CharacterClasses(rawValue: table.high[value] ?? 0)
    }

    /// The classes of `scalar`, those by rule among them.
    static func all(_ scalar: Unicode.Scalar) -> CharacterClasses {
        switch scalar {
        case "A"..."Z": return [.asciiCapital, .word, .notLineFeed]
        case "a"..."z": return [.asciiSmall, .word, .notLineFeed]
        default:
            var classes = of(scalar).union(.notASCIILetter)
            if scalar != "\n" { classes.insert(.notLineFeed) }
            if scalar.isPythonSpace { classes.insert(.space) }
            let isWord = scalar == "_" || ScalarKind.letter.contains(scalar) || ScalarKind.number.contains(scalar)
            return isWord ? classes.union(.word) : classes
        }
    }
}
