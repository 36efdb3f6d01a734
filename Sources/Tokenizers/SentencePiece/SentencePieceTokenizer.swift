import Support

/// SigLIP's tokenizer over a model of SentencePiece, as transformers' `SiglipTokenizer` works: special tokens are cut
/// out, the rest loses its punctuation and capitals and goes to SentencePiece behind an unknown token, which is then
/// dropped with its pieces.
struct SentencePieceTokenizer: Sendable {
    private let model: Unigram
    private let normalizer: SentencePieceNormalizer
    private let lowercases: Bool
    private let special: AddedTokens
    private let endToken: Int32
    private let unknownText: Text
    /// How many pieces the unknown token's own text has.
    private var unknownLength = 0
    /// The special tokens, and which spaces around them go.
    private let tokens: [AddedToken]

    private static let visibleSpace: Unicode.Scalar = "\u{2581}"

    init(_ file: SentencePieceFile, _ settings: TokenizerSettings) throws(FileError) {
        model = try file.unigram()
        normalizer = file.normalizer
        lowercases = settings.lowercases ?? true
        var tokens: [AddedToken] = settings.addedTokens
        let unknown = settings.special(.unknown)?.content ?? "<unk>"
        let end = settings.special(.end)?.content ?? "</s>"
        for content in [end, unknown, settings.special(.padding)?.content ?? "</s>"]
        where !tokens.contains(where: { $0.content.equalsBytewise(content) }) {
            guard let id = file.pieces.id(content) else {
                throw .malformed(file.path, "holds no token \"\(content)\", which the tokenizer needs")
            }
            tokens.append(AddedToken(content: content, id: id, takesSpaceBefore: true, takesSpaceAfter: true))
        }
        guard let endToken = tokens.first(where: { $0.content.equalsBytewise(end) })?.id else {
            throw .malformed(file.path, "holds no token \"\(end)\", which ends a text")
        }
        self.tokens = tokens
        self.endToken = endToken
        unknownText = Text(unknown)
        special = AddedTokens(
            tokens.map { token in
                (Text(token.content), AddedToken(content: token.content, id: token.id))
            })
        unknownLength = pieces(of: unknownText).count
    }

    /// The id of a token.
    func id(of token: String) -> Int32? {
        tokens.first { $0.content.equalsBytewise(token) }?.id ?? model.pieces.id(token)
    }

    /// The ids of a text, without the end.
    func tokens(of text: Text) -> [Int32] {
        let text = [Self.visibleSpace] + text.map { $0 == Self.visibleSpace ? " " : $0 }
        let sections = special.sections(of: text)
        var contents = sections.map { Array(text[$0.range]) }
        for (index, section) in sections.enumerated() {
            guard let id = section.id, let token = tokens.first(where: { $0.id == id }) else { continue }
            if token.takesSpaceAfter, index + 1 < contents.count {
                contents[index + 1] = Array(contents[index + 1].drop(while: \.isPythonSpace))
            }
            if token.takesSpaceBefore, index > 0 {
                while contents[index - 1].last?.isPythonSpace == true { contents[index - 1].removeLast() }
            }
        }
        var ids: [Int32] = []
        var startsWithSpace = false
        for (section, content) in zip(sections, contents) where !content.isEmpty {
            if let id = section.id {
                // A space alone before a special token goes.
                if startsWithSpace, ids.count == 1 { ids.removeAll() }
                ids.append(id)
                startsWithSpace = false
            } else {
                let isFirst = ids.isEmpty
                let pieces = words(content)
                ids += pieces.map(\.id)
                startsWithSpace = isFirst && pieces.count == 1 && pieces[0].isSpace
            }
        }
        return ids
    }

    /// The ids of a text in `length` places at most, with the end.
    func tokens(of text: Text, length: Int?, _ side: Fitting.Side) -> [Int32] {
        var ids = tokens(of: text)
        if let length, ids.count > length - 1 {
            ids = Array(side == .right ? ids.prefix(max(0, length - 1)) : ids.suffix(max(0, length - 1)))
        }
        if ids.last != endToken { ids.append(endToken) }
        return ids
    }

    private struct Word {
        var id: Int32
        var isSpace: Bool
    }

    /// The pieces of a stretch of text without special tokens.
    private func words(_ text: Text) -> [Word] {
        var canonical = lowercases ? text.pythonLowercased : text
        canonical.removeAll(where: \.isASCIIPunctuation)
        let pieces = pieces(of: unknownText + canonical.singleSpaced)
        return Array(pieces.count >= unknownLength ? pieces.dropFirst(unknownLength) : pieces[...])
    }

    /// What SentencePiece makes of a text.
    private func pieces(of text: Text) -> [Word] {
        let bytes = normalizer.normalize(text.bytes)
        var words: [Word] = []
        for piece in model.pieces(of: bytes) {
            if !piece.isUnknown {
                let isSpace = bytes[piece.bytes].elementsEqual([0xE2, 0x96, 0x81])
                words.append(Word(id: piece.id, isSpace: isSpace))
            } else if let spelled = model.bytes {
                for index in piece.bytes { words.append(Word(id: spelled[Int(bytes[index])], isSpace: false)) }
            } else {
                let id = model.pieces.id(bytes.span.extracting(piece.bytes)) ?? model.unknown ?? 0
                words.append(Word(id: id, isSpace: false))
            }
        }
        return words
    }
}
