import Support

/// What `tokenizer_config.json` and `special_tokens_map.json` say beside the vocabulary, as transformers reads them.
struct TokenizerSettings {
    /// The roles of special tokens, in the order in which they are added.
    enum Role: String, CaseIterable {
        case start = "bos_token"
        case end = "eos_token"
        case unknown = "unk_token"
        case separator = "sep_token"
        case padding = "pad_token"
        case classification = "cls_token"
        case mask = "mask_token"
    }

    /// A special token; only its text is known where it was not written as an object.
    struct Special: Equatable {
        var token: AddedToken
        var isText: Bool
        var content: String { token.content }
    }

    let directory: String
    /// The class of the tokenizer, without "Fast" at its end.
    private(set) var className: String?
    private(set) var lowercases: Bool?
    private(set) var length: Int?
    private(set) var padding: Fitting.Side?
    private(set) var truncation: Fitting.Side?
    /// The tokens under `added_tokens_decoder`, sorted by id.
    private(set) var addedTokens: [AddedToken] = []
    private var specials: [Role: Special] = [:]
    private var extras: [Special] = []

    /// Lengths that count as such: transformers writes 10³⁰ for no limit, and no text tower takes a million tokens.
    static let lengths = 1...1 << 20

    init(directory: String) throws(FileError) {
        self.directory = directory
        let config = try Self.object(directory, "tokenizer_config.json")
        let map = try Self.object(directory, "special_tokens_map.json")
        if let config { try read(config) }
        let hasDecoder = config?["added_tokens_decoder"] != nil
        for json in [config, hasDecoder && config != nil ? nil : map].compactMap({ $0 }) { readSpecials(json) }
    }

    /// The object in a file; nil where there is no such file.
    static func object(_ directory: String, _ name: String) throws(FileError) -> JSON? {
        let path = Files.join(directory, name)
        guard try Files.kind(of: path) != .missing else { return nil }
        let json = try JSON.file(path)
        guard json.members != nil else { throw .malformed(path, "is not a JSON object; settings were expected") }
        return json
    }

    func special(_ role: Role) -> Special? { specials[role] }

    private var path: String { Files.join(directory, "tokenizer_config.json") }

    private mutating func read(_ json: JSON) throws(FileError) {
        if let name = json["tokenizer_class"]?.string {
            className = name.hasSuffix("Fast") ? String(name.dropLast(4)) : name
        }
        lowercases = json["do_lower_case"]?.bool
        if let length = json["model_max_length"]?.integer, Self.lengths.contains(length) {
            self.length = length
        }
        padding = try side(json, "padding_side")
        truncation = try side(json, "truncation_side")
        for member in json["added_tokens_decoder"]?.members ?? [] {
            guard let id = Int32(member.name), (0..<Int32(VocabularyReader.greatestID)).contains(id),
                var token = AddedTokenReader(path: path).token(member.value)
            else { throw .malformed(path, "has \"added_tokens_decoder\" with an entry that is not an id and a token") }
            token.id = id
            addedTokens.append(token)
        }
        addedTokens.sort { $0.id < $1.id }
    }

    private func side(_ json: JSON, _ name: String) throws(FileError) -> Fitting.Side? {
        guard let text = json[name]?.string else { return nil }
        guard let side = Fitting.Side(rawValue: text) else {
            throw .malformed(path, "has the \(name) \"\(text)\"; left and right are known")
        }
        return side
    }

    private mutating func readSpecials(_ json: JSON) {
        for role in Role.allCases {
            if let special = special(json[role.rawValue]) { specials[role] = special }
        }
        for name in ["additional_special_tokens", "extra_special_tokens"] {
            for element in json[name]?.elements ?? [] {
                if let special = special(element), !extras.contains(special) { extras.append(special) }
            }
        }
    }

    private func special(_ json: JSON?) -> Special? {
        if let content = json?.string {
            return content.isEmpty ? nil : Special(token: AddedToken(content: content), isText: true)
        }
        guard let json, var token = AddedTokenReader(path: path).token(json), !token.content.isEmpty else { return nil }
        token.isSpecial = true
        token.isNormalized = json["normalized"]?.bool ?? false
        return Special(token: token, isText: false)
    }

    /// The error of a special token that the vocabulary does not hold.
    func lacks(_ content: String) -> FileError {
        .malformed(path, "names the special token \"\(content)\", which the vocabulary lacks")
    }

    /// Gives a role a token where the settings name none, as the class of a tokenizer does.
    mutating func setDefault(_ role: Role, _ content: String) {
        if specials[role] == nil { specials[role] = Special(token: AddedToken(content: content), isText: true) }
    }

    /// The added tokens of a tokenizer with those of the settings: other rules for the same text replace its own.
    ///
    /// - Parameter id: The id that the vocabulary has for a text.
    func merged(into own: [AddedToken], id: (String) -> Int32?) throws(FileError) -> [AddedToken] {
        let known = own.map(\.content) + addedTokens.map(\.content)
        var added = addedTokens.filter { !own.contains($0) }
        var named: [Special] = []
        for special in Role.allCases.compactMap({ specials[$0] }) + extras
        where !known.contains(where: { $0.equalsBytewise(special.content) }) && !named.contains(special) {
            named.append(special)
        }
        for special in named {
            guard let id = id(special.content) else { throw lacks(special.content) }
            var token = special.token
            token.id = id
            added.append(token)
        }
        var merged = own
        for token in added {
            merged.removeAll { $0.content.equalsBytewise(token.content) }
            merged.append(token)
        }
        return merged
    }
}
