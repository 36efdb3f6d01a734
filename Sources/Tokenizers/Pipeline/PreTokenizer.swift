/// A step that splits a text into the words that the model sees, as `tokenizers` calls it.
indirect enum PreTokenizer: Sendable {
    case sequence([PreTokenizer])
    case split(Splitter)
    case byteLevel(addsSpace: Bool, splits: Bool)
    case metaspace(Metaspace)

    func apply(_ pieces: inout Pieces) {
        switch self {
        case .sequence(let steps): for step in steps { step.apply(&pieces) }
        case .split(let splitter): splitter.split(&pieces)
        case .byteLevel(let addsSpace, let splits):
            if addsSpace { ByteLevel.addSpaces(&pieces) }
            if splits { ByteLevel.words.split(&pieces) }
            ByteLevel.spell(&pieces)
        case .metaspace(let metaspace): metaspace.apply(&pieces)
        }
    }
}

/// Spells a text by its bytes, each shown as a visible character.
enum ByteLevel {
    /// Source: GPT-2's `bytes_to_unicode`: visible characters of Latin 1 are themselves, the others U+0100 and on.
    static let characters: [Unicode.Scalar] = {
        var next: UInt32 = 0x100
        return (UInt8.min...UInt8.max).map { byte in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return Unicode.Scalar(byte)
            default:
                defer { next += 1 }
                return Unicode.Scalar(next) ?? "?"
            }
        }
    }()

    /// GPT-2's words: what an apostrophe shortens, letters, numbers and signs with the space before them, and spaces.
    static let words: Splitter = {
        let source = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
        let pattern = try? Pattern(source)
        return Splitter(delimiter: pattern.map { .pattern($0) } ?? .text([]), behavior: .isolated)
    }()

    static func addSpaces(_ pieces: inout Pieces) {
        pieces.replaceEach { text, range, result in
            if text[range.lowerBound] != " " { result.extend(" ") }
            result.append(text[range])
        }
    }

    static func spell(_ pieces: inout Pieces) {
        var bytes: [UInt8] = []
        pieces.replaceEach { text, range, result in
            for index in range {
                let scalar = text[index]
                if scalar.value &- 0x21 < 0x5E {
                    result.extend(scalar)
                    continue
                }
                bytes.removeAll(keepingCapacity: true)
                scalar.append(to: &bytes)
                for byte in bytes { result.extend(characters[Int(byte)]) }
            }
            result.endPiece()
        }
    }
}

/// Shows spaces as a visible character, and splits before each.
struct Metaspace: Sendable {
    /// Which pieces get a space at their start where they have none.
    enum Prefix: String, Sendable, CaseIterable { case always, first, never }

    var replacement: Unicode.Scalar = "\u{2581}"
    var prefix = Prefix.always
    var splits = true

    func apply(_ pieces: inout Pieces) {
        var isFirst = pieces.startsText
        pieces.replaceEach { text, range, result in
            let first = text[range.lowerBound]
            if first != " ", first != replacement, prefix == .always || prefix == .first && isFirst {
                result.extend(replacement)
            }
            isFirst = false
            for (offset, index) in range.enumerated() {
                let scalar = text[index] == " " ? replacement : text[index]
                if splits, scalar == replacement, offset > 0 { result.endPiece() }
                result.extend(scalar)
            }
            result.endPiece()
        }
    }
}
