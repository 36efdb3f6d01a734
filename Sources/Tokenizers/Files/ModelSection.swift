import Support

/// The section "model" of a `tokenizer.json`.
struct ModelSection {
    private let path: String
    private var members: [String: JSON] = [:]
    private var tokens: TokenTable?
    private var scores: [Double]?
    private var merges: MergeTable?

    init(_ scanner: inout JSONScanner, path: String) throws(FileError) {
        self.path = path
        let reader = VocabularyReader(path: path)
        // Merges name tokens: where they come before the vocabulary, they are read again behind it.
        var early: JSONScanner?
        try scanner.object { (scanner, name) throws(FileError) in
            let name = String(decoding: name, as: UTF8.self)
            switch (name, scanner.kind()) {
            case ("vocab", .object): tokens = try reader.tokens(&scanner)
            case ("vocab", .array): (tokens, scores) = try reader.scoredTokens(&scanner)
            case ("merges", .array):
                if let tokens {
                    merges = try reader.merges(&scanner, tokens)
                } else {
                    early = scanner
                    _ = try scanner.value()
                }
            default: members[name] = try scanner.value()
            }
        }
        if var early, let tokens { merges = try reader.merges(&early, tokens) }
    }

    private func malformed(_ reason: String) -> FileError { .malformed(path, reason) }

    func model() throws(FileError) -> Pipeline.Model {
        // Files from before version 0.10 do not say the type of a model.
        let type = members["type"]?.string ?? (merges != nil ? "BPE" : scores != nil ? "Unigram" : "none")
        guard let tokens, tokens.count > 0 else { throw malformed("has a model without a \"vocab\"") }
        switch type {
        case "BPE": return .bytePairs(try bytePairs(tokens))
        case "Unigram": return .unigram(try unigram(tokens))
        default: throw malformed("has a model of the type \"\(type)\"; BPE and Unigram can be read")
        }
    }

    private func bytePairs(_ tokens: TokenTable) throws(FileError) -> BytePairEncoding {
        guard scores == nil, let merges else { throw malformed("has a BPE model without \"merges\"") }
        if let dropout = members["dropout"]?.double, dropout != 0 {
            throw malformed("drops merges at random (dropout \(dropout)); a tokenizer for inference was expected")
        }
        guard (members["continuing_subword_prefix"]?.string ?? "").isEmpty else {
            throw malformed("has a BPE model with a \"continuing_subword_prefix\", which is not known")
        }
        var model = BytePairEncoding(
            tokens: tokens, merges: merges, suffix: members["end_of_word_suffix"]?.string ?? "")
        if let name = members["unk_token"]?.string {
            model.unknown = tokens.id(name)
            guard model.unknown != nil else { throw malformed("has no token \"\(name)\", its \"unk_token\"") }
        }
        model.fusesUnknown = members["fuse_unk"]?.bool ?? false
        if members["ignore_merges"]?.bool == true { model.wholeWords = tokens }
        if members["byte_fallback"]?.bool == true { model.bytes = BytePairEncoding.byteTokens(of: tokens) }
        return model
    }

    private func unigram(_ tokens: TokenTable) throws(FileError) -> Unigram {
        guard let scores else { throw malformed("has a Unigram model whose \"vocab\" is not a list with scores") }
        guard let unknown = members["unk_id"]?.integer, scores.indices.contains(unknown) else {
            throw malformed("has a Unigram model whose \"unk_id\" is no place in its vocabulary")
        }
        var model = Unigram(
            tokens, scores: scores, matched: scores.indices.map { Int32($0) }, leastScore: scores.min() ?? 0, .double)
        model.unknown = Int32(unknown)
        if members["byte_fallback"]?.bool == true { model.bytes = BytePairEncoding.byteTokens(of: tokens) }
        return model
    }
}
