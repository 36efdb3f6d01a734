/// A text in the form that all steps work on: its code points.
typealias Text = [Unicode.Scalar]

extension Array where Element == Unicode.Scalar {
    init(_ string: String) { self = Array(string.unicodeScalars) }

    var string: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: self)
        return String(view)
    }

    /// The UTF-8 bytes.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for scalar in self { scalar.append(to: &bytes) }
        return bytes
    }
}

extension Unicode.Scalar {
    /// Appends the UTF-8 bytes.
    @inline(__always)
    func append(to bytes: inout [UInt8]) {
        let value = self.value
        func continuation(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(truncatingIfNeeded: value >> shift) & 0x3F }
        switch value {
        case ..<0x80: bytes.append(UInt8(truncatingIfNeeded: value))
        case ..<0x800:
            bytes.append(0xC0 | UInt8(truncatingIfNeeded: value >> 6))
            bytes.append(continuation(0))
        case ..<0x10000:
            bytes.append(0xE0 | UInt8(truncatingIfNeeded: value >> 12))
            bytes.append(continuation(6))
            bytes.append(continuation(0))
        default:
            bytes.append(0xF0 | UInt8(truncatingIfNeeded: value >> 18))
            bytes.append(continuation(12))
            bytes.append(continuation(6))
            bytes.append(continuation(0))
        }
    }

    /// The Unicode property White_Space, which Rust and Oniguruma go by.
    @inline(__always)
    var isSpace: Bool {
        switch value {
        case 0x20, 0x09...0x0D: true
        case ..<0x85: false
        case 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    /// What Python's `str.isspace` and the `\s` of its `re` call a space: four separators of ASCII more.
    @inline(__always)
    var isPythonSpace: Bool { isSpace || (0x1C...0x1F).contains(value) }

    /// Punctuation in ASCII, as Python's `string.punctuation` has it.
    var isASCIIPunctuation: Bool {
        switch value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
        default: false
        }
    }
}

/// Kinds of characters that a regular expression may name.
enum ScalarKind: Hashable, Sendable {
    case space
    /// Letters, marks, decimal digits and connecting punctuation.
    case word
    /// One of the categories of Unicode, a bit each, as `ScalarKind.bit` numbers them; characters that came after version
    /// `until` have none.
    case categories(UInt32, until: Int = .max)

    private static let (letters, numbers): (UInt32, UInt32) = (0b11111, 0b111 << 8)
    /// Letters, of any kind.
    static let letter = ScalarKind.categories(letters)
    /// Numbers, of any kind.
    static let number = ScalarKind.categories(numbers)

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        switch self {
        case .space: return scalar.isSpace
        case .word:
            let properties = scalar.properties
            if properties.isAlphabetic { return true }
            switch properties.generalCategory {
            case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
            // Joiners are no part of a word in Oniguruma and in Rust alike.
            default: return false
            }
        case .categories(let set, let version):
            let category = scalar.properties.generalCategory
            if category == .unassigned, version == .max, ScalarKind.isNew(scalar, in: set) { return true }
            let isInSet = set & (1 << ScalarKind.bit(category)) != 0
            return isInSet && (version == .max || !ScalarKind.isLater(scalar, than: version))
        }
    }

    /// Whether Unicode 18 has the character among the letters or numbers of a set of categories that has all of them;
    /// Swift's own tables may be of an earlier version.
    private static func isNew(_ scalar: Unicode.Scalar, in set: UInt32) -> Bool {
        set & letters == letters && newLetters.contains { $0.contains(scalar.value) }
            || set & numbers == numbers && newNumbers.contains { $0.contains(scalar.value) }
    }

    private static let newLetters: [ClosedRange<UInt32>] = [
        0x558...0x558, 0x58B...0x58C, 0x208F...0x208F, 0x209D...0x209F, 0xA7DD...0xA7DD, 0xA7E2...0xA7E2,
        0xAB6C...0xAB6D, 0x107BB...0x107BF, 0x10ED9...0x10EEE, 0x11B0A...0x11B0A, 0x11DF1...0x11DF1,
        0x18CD6...0x18CDA, 0x18D1F...0x18D20, 0x18E00...0x19191, 0x191A0...0x191D2, 0x1B123...0x1B128,
        0x1B168...0x1B168, 0x1D6A6...0x1D6A6, 0x1DF1F...0x1DF24, 0x1DF2B...0x1DF81, 0x1DF90...0x1DF96,
        0x1DFCD...0x1DFFF, 0x2B81E...0x2B81E, 0x3D000...0x3FC3F,
    ]
    private static let newNumbers: [ClosedRange<UInt32>] = [0x1246F...0x1246F, 0x12475...0x1247F, 0x12550...0x12686]

    /// Whether the character came after a version of Unicode, 16 or later.
    private static func isLater(_ scalar: Unicode.Scalar, than version: Int) -> Bool {
        // Most texts are done without a search: these blocks have long been full.
        switch scalar.value {
        case ..<0x530, 0x3040...0xA6FF, 0xAC00...0xD7A3: false
        default: (scalar.properties.age?.major ?? 0) > version
        }
    }

    /// The kind that `\p{name}` asks for in a version of Unicode; nil where the name is no category.
    static func named(_ name: String, until version: Int = .max) -> ScalarKind? {
        var set: UInt32 = 0
        for (bit, category) in names.enumerated() where category == name || String(category.prefix(1)) == name {
            set |= 1 << UInt32(bit)
        }
        return set == 0 ? nil : .categories(set, until: version)
    }

    private static let names = [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po",
        "Sm",
        "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn",
    ]

    /// The place of a category in `names`.
    private static func bit(_ category: Unicode.GeneralCategory) -> UInt32 {
        switch category {
        case .uppercaseLetter: 0
        case .lowercaseLetter: 1
        case .titlecaseLetter: 2
        case .modifierLetter: 3
        case .otherLetter: 4
        case .nonspacingMark: 5
        case .spacingMark: 6
        case .enclosingMark: 7
        case .decimalNumber: 8
        case .letterNumber: 9
        case .otherNumber: 10
        case .connectorPunctuation: 11
        case .dashPunctuation: 12
        case .openPunctuation: 13
        case .closePunctuation: 14
        case .initialPunctuation: 15
        case .finalPunctuation: 16
        case .otherPunctuation: 17
        case .mathSymbol: 18
        case .currencySymbol: 19
        case .modifierSymbol: 20
        case .otherSymbol: 21
        case .spaceSeparator: 22
        case .lineSeparator: 23
        case .paragraphSeparator: 24
        case .control: 25
        case .format: 26
        case .surrogate: 27
        case .privateUse: 28
        default: 29
        }
    }
}
