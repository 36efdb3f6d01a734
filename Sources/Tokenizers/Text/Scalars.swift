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

    /// Letters, of any kind.
    static let letter = ScalarKind.categories(0b11111)
    /// Numbers, of any kind.
    static let number = ScalarKind.categories(0b111 << 8)

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
            let isInSet = set & (1 << ScalarKind.bit(scalar.properties.generalCategory)) != 0
            return isInSet && (version == .max || !ScalarKind.isLater(scalar, than: version))
        }
    }

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
