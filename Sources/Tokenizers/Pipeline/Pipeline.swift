/// What a `tokenizer.json` describes: added tokens, normalization, words, and a model that knows their tokens.
struct Pipeline: Sendable {
    enum Model: Sendable {
        case bytePairs(BytePairEncoding)
        case unigram(Unigram)

        var tokens: TokenTable {
            switch self {
            case .bytePairs(let model): model.tokens
            case .unigram(let model): model.pieces
            }
        }
    }

    var model: Model
    var normalizer: Normalizer?
    var preTokenizer: PreTokenizer?
    /// Found in the text as it is, and in what the normalizer makes of the rest.
    private var rawTokens: AddedTokens
    private var normalizedTokens: AddedTokens
    private(set) var addedTokens: [AddedToken]

    init(model: Model, normalizer: Normalizer?, preTokenizer: PreTokenizer?, addedTokens: [AddedToken]) {
        self.model = model
        self.normalizer = normalizer
        self.preTokenizer = preTokenizer
        self.addedTokens = addedTokens
        rawTokens = AddedTokens(addedTokens.filter { !$0.isNormalized }.map { (Text($0.content), $0) })
        normalizedTokens = AddedTokens(
            addedTokens.filter(\.isNormalized).map { token in
                let content = Text(token.content)
                return (normalizer?.normalize(content) ?? content, token)
            })
    }

    /// The ids of the tokens of a text, without those that the post-processor adds.
    func tokens(of text: Text) -> [Int32] {
        var ids: [Int32] = []
        guard !rawTokens.isEmpty else {
            encode(text, startsText: true, into: &ids)
            return ids
        }
        for section in rawTokens.sections(of: text) {
            if let id = section.id {
                ids.append(id)
            } else {
                encode(Array(text[section.range]), startsText: section.range.lowerBound == 0, into: &ids)
            }
        }
        return ids
    }

    private func encode(_ text: Text, startsText: Bool, into ids: inout [Int32]) {
        let text = normalizer?.normalize(text) ?? text
        guard !normalizedTokens.isEmpty else {
            encodeWords(text, startsText: startsText, into: &ids)
            return
        }
        for section in normalizedTokens.sections(of: text) {
            if let id = section.id {
                ids.append(id)
            } else {
                let isStart = startsText && section.range.lowerBound == 0
                encodeWords(Array(text[section.range]), startsText: isStart, into: &ids)
            }
        }
    }

    private func encodeWords(_ text: Text, startsText: Bool, into ids: inout [Int32]) {
        var pieces = Pieces(text, startsText: startsText)
        preTokenizer?.apply(&pieces)
        pieces.forEach { range in
            switch model {
            case .bytePairs(let model): model.encode(pieces.text[range], into: &ids)
            case .unigram(let model): model.encode(Array(pieces.text[range]).bytes, into: &ids)
            }
        }
    }

    /// The id of a token, added or of the model.
    func id(of token: String) -> Int32? {
        addedTokens.last { $0.content.utf8.elementsEqual(token.utf8) }?.id ?? model.tokens.id(token)
    }
}
