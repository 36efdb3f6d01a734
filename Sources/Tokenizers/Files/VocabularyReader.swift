import Support

/// Reads the parts of a vocabulary that are large: tokens with their ids or scores, and merges.
struct VocabularyReader {
    let path: String

    /// Ids fill a table of embeddings; none has more rows.
    static let greatestID = TokenTable.mostTokens

    private func malformed(_ reason: String) -> FileError { .malformed(path, reason) }

    private func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

    /// An object of tokens and their ids.
    func tokens(_ scanner: inout JSONScanner) throws(FileError) -> TokenTable {
        var table = TokenTable()
        try scanner.object { (scanner, name) throws(FileError) in
            let id = try scanner.integer()
            guard id < Self.greatestID else {
                throw malformed(
                    "gives the token \"\(text(name))\" the id \(id); ids below \(Self.greatestID) can be read")
            }
            let isNew = table.insert(name.span, id: Int32(truncatingIfNeeded: id))
            guard isNew else { throw malformed("holds the token \"\(text(name))\" twice, or too many tokens") }
        }
        return table
    }

    /// A list of tokens with a score each: `[["<unk>", 0.0], …]`.
    func scoredTokens(_ scanner: inout JSONScanner) throws(FileError) -> (TokenTable, [Double]) {
        var table = TokenTable()
        var scores: [Double] = []
        try scanner.array { (scanner) throws(FileError) in
            let entry = try scanner.value()
            guard let pair = entry.elements, pair.count == 2, let token = pair[0].string, let score = pair[1].double,
                score.isFinite
            else { throw malformed("holds a vocabulary entry that is not a token and a score") }
            guard table.insert(Array(token.utf8).span, id: Int32(truncatingIfNeeded: scores.count)) else {
                throw malformed("holds the token \"\(token)\" twice, or too many tokens")
            }
            scores.append(asReadByTokenizers(score))
        }
        return (table, scores)
    }

    /// A list of merges, each `"a b"` or `["a", "b"]`, the lowest rank first.
    func merges(_ scanner: inout JSONScanner, _ table: TokenTable) throws(FileError) -> MergeTable {
        var builder = MergeBuilder(path: path, table: table)
        var first: [UInt8] = []
        var second: [UInt8] = []
        try scanner.array { (scanner) throws(FileError) in
            switch scanner.kind() {
            case .string:
                try scanner.string(into: &first)
                try builder.add(line: first[...])
            case .array:
                var count = 0
                try scanner.array { (scanner) throws(FileError) in
                    if count == 0 { try scanner.string(into: &first) } else { try scanner.string(into: &second) }
                    count += 1
                }
                guard count == 2 else { throw malformed("holds a merge of \(count) tokens; two were expected") }
                try builder.add(first, second)
            default: throw malformed("holds a merge that is neither a text nor a pair")
            }
        }
        return builder.merges
    }
}

/// Collects merges by the texts of their tokens.
struct MergeBuilder {
    let path: String
    let table: TokenTable
    private(set) var merges = MergeTable()
    private var rank: Int32 = 0
    private var joined: [UInt8] = []

    init(path: String, table: TokenTable) {
        self.path = path
        self.table = table
        merges = MergeTable(capacity: table.count)
    }

    /// Adds the next merge, both tokens in one line with a space between them.
    mutating func add(line: ArraySlice<UInt8>) throws(FileError) {
        let space = UInt8(ascii: " ")
        guard let middle = line.firstIndex(of: space), !line[(middle + 1)...].contains(space) else {
            throw .malformed(
                path,
                "holds the merge \"\(String(decoding: line, as: UTF8.self))\"; two tokens and a space were expected")
        }
        try add(Array(line[..<middle]), Array(line[(middle + 1)...]))
    }

    mutating func add(_ first: [UInt8], _ second: [UInt8]) throws(FileError) {
        joined.removeAll(keepingCapacity: true)
        for byte in first { joined.append(byte) }
        for byte in second { joined.append(byte) }
        guard let one = table.id(first), let other = table.id(second), let both = table.id(joined) else {
            let names = [first, second, joined].map { String(decoding: $0, as: UTF8.self) }
            throw .malformed(
                path,
                "merges \"\(names[0])\" and \"\(names[1])\", and the vocabulary lacks one of them or \"\(names[2])\"")
        }
        merges.insert(one, other, MergeTable.Merge(rank: rank, token: both))
        rank += 1
    }
}

/// A score as `tokenizers` reads it: its JSON reader divides the digits by a power of ten, which now and then rounds to a
/// neighbour of the nearest number. Between ways of cutting a text that are equally good, that decides.
///
/// Source: serde_json without its feature `float_roundtrip`.
func asReadByTokenizers(_ score: Double) -> Double {
    // The shortest digits, which are those that the file has.
    let parts = score.magnitude.description.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let digits = UInt64(parts[0] + parts[1]), let power = Double("1e\(parts[1].utf8.count)")
    else {
        return score
    }
    let magnitude = Double(digits) / power
    return score.sign == .minus ? -magnitude : magnitude
}
