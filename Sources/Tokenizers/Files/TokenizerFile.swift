import Support

/// A `tokenizer.json`, as the library `tokenizers` writes it.
struct TokenizerFile {
    let path: String
    private(set) var pipeline: Pipeline
    private(set) var special = SpecialTokens()
    /// Padding and truncation, where the file has them.
    private(set) var fitting = Fitting()
    /// The token that lists are filled with, where the file says so.
    private(set) var padToken: Int32?

    /// Far beyond any normalizer: what a longer chain of replacements makes of a text would fill the memory.
    private static let greatestGrowth = 1e6

    init(_ path: String) throws(FileError) {
        self.path = path
        var scanner = JSONScanner(try Files.content(of: path, expected: "a tokenizer.json"), path: path)
        guard scanner.kind() == .object else {
            throw .malformed(path, "is not a JSON object; a tokenizer was expected")
        }
        var members: [String: JSON] = [:]
        var model: ModelSection?
        try scanner.object { (scanner, name) throws(FileError) in
            let name = String(decoding: name, as: UTF8.self)
            if name == "model", scanner.kind() == .object {
                model = try ModelSection(&scanner, path: path)
            } else {
                members[name] = try scanner.value()
            }
        }
        try scanner.finish()
        guard let model else {
            throw .malformed(path, "has no \"model\"; a tokenizer.json of the library tokenizers was expected")
        }
        let reader = ComponentReader(path: path)
        let normalizer = try Self.step(members["normalizer"]).map { json throws(FileError) in
            try reader.normalizer(json)
        }
        if let growth = normalizer?.greatestGrowth, growth > Self.greatestGrowth {
            throw .malformed(path, "has a normalizer that makes more than a million characters of one")
        }
        let preTokenizer = try Self.step(members["pre_tokenizer"]).map { json throws(FileError) in
            try reader.preTokenizer(json)
        }
        let vocabulary = try model.model()
        pipeline = Pipeline(
            model: vocabulary, normalizer: normalizer, preTokenizer: preTokenizer,
            addedTokens: try AddedTokenReader(path: path).tokens(members["added_tokens"], vocabulary.tokens))
        if let json = Self.step(members["post_processor"]) { special = try reader.specialTokens(json) }
        try readFitting(members["truncation"], members["padding"])
    }

    private static func step(_ json: JSON?) -> JSON? { json == .null ? nil : json }

    private mutating func readFitting(_ truncation: JSON?, _ padding: JSON?) throws(FileError) {
        if let direction = truncation?["direction"]?.string { fitting.truncation = try side(direction) }
        if let length = truncation?["max_length"]?.integer, TokenizerSettings.lengths.contains(length) {
            fitting.length = length
        }
        if let direction = padding?["direction"]?.string { fitting.padding = try side(direction) }
        if let id = padding?["pad_id"]?.integer, (0..<VocabularyReader.greatestID).contains(id) { padToken = Int32(id) }
    }

    private func side(_ direction: String) throws(FileError) -> Fitting.Side {
        guard let side = Fitting.Side(rawValue: direction.lowercased()) else {
            throw .malformed(path, "cuts or fills at \"\(direction)\"; Left and Right are known")
        }
        return side
    }
}

/// Reads the lists of added tokens of `tokenizer.json` and `tokenizer_config.json`.
struct AddedTokenReader {
    let path: String

    /// The list in a `tokenizer.json`.
    func tokens(_ json: JSON?, _ vocabulary: TokenTable) throws(FileError) -> [AddedToken] {
        guard let json, json != .null else { return [] }
        guard let elements = json.elements else { throw .malformed(path, "has \"added_tokens\" that are not a list") }
        var tokens: [AddedToken] = []
        for element in elements {
            guard let id = element["id"]?.integer, (0..<VocabularyReader.greatestID).contains(id),
                var token = token(element)
            else { throw .malformed(path, "has an added token without an id and a content") }
            token.id = Int32(id)
            if let known = vocabulary.id(token.content), known != token.id {
                throw .malformed(
                    path,
                    "gives the added token \"\(token.content)\" the id \(id), and its vocabulary gives it \(known)")
            }
            if !token.content.isEmpty { tokens.append(token) }
        }
        return tokens
    }

    /// A token that is described by an object; its id is left to the caller.
    func token(_ json: JSON) -> AddedToken? {
        guard let content = json["content"]?.string else { return nil }
        let isSpecial = json["special"]?.bool ?? false
        return AddedToken(
            content: content, takesSpaceBefore: json["lstrip"]?.bool ?? false,
            takesSpaceAfter: json["rstrip"]?.bool ?? false, isNormalized: json["normalized"]?.bool ?? !isSpecial,
            isWord: json["single_word"]?.bool ?? false, isSpecial: isSpecial)
    }
}
