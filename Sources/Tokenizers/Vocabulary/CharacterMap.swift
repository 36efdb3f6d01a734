/// SentencePiece's normalization rules: a double-array trie (Darts) of texts, and what each is replaced by.
struct CharacterMap: Sendable {
    private let units: [UInt32]
    /// Replacements in UTF-8, each ended by a zero.
    private let replacements: [UInt8]

    /// - Parameter blob: The size of the trie in bytes, the trie, and the replacements. Nil where it is damaged.
    init?(_ blob: [UInt8]) {
        guard blob.count > 4 else { return nil }
        func word(_ offset: Int) -> UInt32 {
            UInt32(blob[offset]) | UInt32(blob[offset + 1]) << 8 | UInt32(blob[offset + 2]) << 16
                | UInt32(blob[offset + 3]) << 24
        }
        let size = Int(word(0))
        guard size >= 4, size % 4 == 0, size < blob.count - 4 else { return nil }
        units = stride(from: 4, to: 4 + size, by: 4).map(word)
        replacements = Array(blob[(4 + size)...])
        guard String(validating: replacements, as: UTF8.self) != nil, replacements.last == 0 else { return nil }
    }

    /// The length of the longest replacement, in bytes.
    var longestReplacement: Int {
        replacements.split(separator: 0).reduce(0) { max($0, $1.count) }
    }

    /// What the shortest text at the start of `bytes` that has a rule is replaced by.
    func shortest(_ bytes: borrowing Span<UInt8>) -> Text? {
        rules(bytes, stopsAtFirst: true).map { replacement($0.value) }
    }

    /// The same of the longest, and its length in bytes.
    func longest(_ bytes: borrowing Span<UInt8>) -> (replacement: ArraySlice<UInt8>, length: Int)? {
        rules(bytes, stopsAtFirst: false).map { (replacementBytes($0.value), $0.length) }
    }

    private func rules(_ bytes: borrowing Span<UInt8>, stopsAtFirst: Bool) -> (value: Int, length: Int)? {
        var found: (value: Int, length: Int)?
        var node = Self.offset(units[0])
        for index in bytes.indices {
            let byte = bytes[index]
            node ^= Int(byte)
            guard byte != 0, node < units.count else { break }
            let unit = units[node]
            guard unit & 0x8000_00FF == UInt32(byte) else { break }
            node ^= Self.offset(unit)
            guard node < units.count else { break }
            if unit >> 8 & 1 != 0 {
                found = (Int(units[node] & 0x7FFF_FFFF), index + 1)
                if stopsAtFirst { break }
            }
        }
        return found
    }

    private static func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 0x200) >> 6) }

    private func replacementBytes(_ start: Int) -> ArraySlice<UInt8> {
        guard start < replacements.count else { return [] }
        let end = replacements[start...].firstIndex(of: 0) ?? replacements.count
        return replacements[start..<end]
    }

    private func replacement(_ start: Int) -> Text { Text(String(decoding: replacementBytes(start), as: UTF8.self)) }
}
