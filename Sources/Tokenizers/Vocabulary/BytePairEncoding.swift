/// Byte-pair encoding: a word is cut into characters, and known pairs are joined, the lowest rank first.
///
/// Source: Sennrich et al. 2016, arXiv:1508.07909; as `tokenizers` does it, ties from the left.
struct BytePairEncoding: Sendable {
    var tokens: TokenTable
    var merges: MergeTable
    /// Stands for a character that the vocabulary lacks; such characters go where it is nil.
    var unknown: Int32?
    /// Whether neighbouring unknown characters are one token.
    var fusesUnknown = false
    /// The tokens of the 256 bytes, which spell characters that the vocabulary lacks; nil where it has not all of them.
    var bytes: [Int32]?
    /// Words that are a token as they are, and are not cut first.
    var wholeWords: TokenTable?
    /// Tokens of one character, and of one character at the end of a word.
    private let characters: CharacterTable
    private let lastCharacters: CharacterTable
    /// The bytes of the end of a word, for a last character that the vocabulary lacks.
    private let suffix: [UInt8]

    /// - Parameter suffix: What a token at the end of a word ends with, such as `</w>`.
    init(tokens: TokenTable, merges: MergeTable, suffix: String = "") {
        self.tokens = tokens
        self.merges = merges
        self.suffix = Array(suffix.utf8)
        characters = CharacterTable(tokens, suffix: [])
        lastCharacters = CharacterTable(tokens, suffix: self.suffix)
    }

    /// The tokens `<0x00>` to `<0xFF>`, of which all must be there.
    static func byteTokens(of tokens: TokenTable) -> [Int32]? {
        let ids = (0..<256).compactMap { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return tokens.id("<0x\(digits.utf8.count == 1 ? "0" : "")\(digits)>")
        }
        return ids.count == 256 ? ids : nil
    }

    /// Appends the ids of a word, not empty.
    func encode(_ word: ArraySlice<Unicode.Scalar>, into ids: inout [Int32]) {
        if let wholeWords, let id = wholeWords.id(Text(word).bytes) {
            ids.append(id)
            return
        }
        var symbols: [Int32] = []
        symbols.reserveCapacity(word.count)
        spell(word, into: &symbols)
        if symbols.count <= Self.shortest {
            mergeShort(&symbols)
            ids += symbols
        } else {
            var chain = MergeChain(symbols)
            chain.merge(merges)
            chain.append(to: &ids)
        }
    }

    /// Up to this length, looking through all pairs for each merge is faster than a queue.
    private static let shortest = 32

    /// The tokens of the characters.
    private func spell(_ word: ArraySlice<Unicode.Scalar>, into symbols: inout [Int32]) {
        var hasPendingUnknown = false
        let last = word.endIndex - 1
        for index in word.indices {
            let scalar = word[index]
            let id = index == last ? lastCharacters[scalar] : characters[scalar]
            if let id {
                if hasPendingUnknown, let unknown {
                    symbols.append(unknown)
                    hasPendingUnknown = false
                }
                symbols.append(id)
            } else if let bytes {
                var spelled: [UInt8] = []
                scalar.append(to: &spelled)
                if index == last { spelled += suffix }
                for byte in spelled { symbols.append(bytes[Int(byte)]) }
            } else if let unknown {
                if hasPendingUnknown, !fusesUnknown { symbols.append(unknown) }
                hasPendingUnknown = true
            }
        }
        if hasPendingUnknown, let unknown { symbols.append(unknown) }
    }

    private func mergeShort(_ symbols: inout [Int32]) {
        guard symbols.count > 1 else { return }
        var pairs: [MergeTable.Merge?] = []
        pairs.reserveCapacity(symbols.count)
        for index in 1..<symbols.count { pairs.append(merges[symbols[index - 1], symbols[index]]) }
        while true {
            var best = -1
            var merge = MergeTable.Merge(rank: Int32.max, token: 0)
            for index in pairs.indices {
                if let pair = pairs[index], pair.rank < merge.rank {
                    best = index
                    merge = pair
                }
            }
            guard best >= 0 else { return }
            symbols[best] = merge.token
            symbols.remove(at: best + 1)
            pairs.remove(at: best)
            if best > 0 { pairs[best - 1] = merges[symbols[best - 1], merge.token] }
            if best < pairs.count { pairs[best] = merges[merge.token, symbols[best + 1]] }
        }
    }
}

/// Tokens of one character each.
private struct CharacterTable: Sendable {
    /// The ids of the characters of the basic plane, up to the last that has one; -1 for none.
    private var near: [Int32] = []
    private var far: [UInt32: Int32] = [:]

    init(_ tokens: TokenTable, suffix: [UInt8]) {
        tokens.forEach { bytes, id in
            // Four bytes at most are one character.
            guard bytes.count - suffix.count <= 4, bytes.count > suffix.count, bytes.suffix(suffix.count) == suffix[...]
            else { return }
            let scalars = String(decoding: bytes.dropLast(suffix.count), as: UTF8.self).unicodeScalars
            guard let scalar = scalars.first, scalars.count == 1 else { return }
            let value = Int(scalar.value)
            if value >= 0x10000 {
                far[scalar.value] = id
            } else {
                while near.count <= value { near.append(-1) }
                near[value] = id
            }
        }
    }

    @inline(__always)
    subscript(_ scalar: Unicode.Scalar) -> Int32? {
        let value = Int(scalar.value)
        if value < near.count {
            let id = near[value]
            return id < 0 ? nil : id
        }
        return value < 0x10000 ? nil : far[scalar.value]
    }
}
