import Support

/// Turns a text into the ids of tokens that a text tower was trained on, as the program does that it was trained with.
///
/// - Byte-level pairs of CLIP: `tokenizer.json`, `vocab.json` with `merges.txt`, or OpenAI's
///   `bpe_simple_vocab_16e6.txt.gz`.
/// - A unigram model, as SigLIP's: `spiece.model` or `tokenizer.json`.
/// - Pairs with bytes for what the vocabulary lacks, as SigLIP 2's: `tokenizer.json`.
public struct Tokenizer: Sendable {
    /// The program whose tokens a checkpoint expects.
    public enum Convention: String, Sendable, CaseIterable {
        /// Transformers' tokenizers.
        case transformers
        /// OpenCLIP's: texts are cleaned first.
        case openCLIP
    }

    enum Engine: Sendable {
        case pipeline(Pipeline)
        case sentencePiece(SentencePieceTokenizer)
    }

    let engine: Engine
    var cleaning: Cleaning?
    var special = SpecialTokens()
    var fitting = Fitting()
    /// The program that it follows.
    public internal(set) var convention = Convention.transformers

    /// The number of tokens that the checkpoint takes, where its files say so.
    public var length: Int? { fitting.length }

    /// The id that fills a list up to its length.
    public var padToken: Int32 { fitting.padToken }

    init(engine: Engine) { self.engine = engine }

    /// The ids of a text, special tokens around them: neither cut nor filled.
    public func tokens(of text: String) -> [Int32] {
        let text = cleaned(text)
        switch engine {
        case .pipeline(let pipeline): return special.before + pipeline.tokens(of: text) + special.behind
        case .sentencePiece(let tokenizer): return tokenizer.tokens(of: text, length: nil, fitting.truncation)
        }
    }

    /// The ids of each text in exactly `length` places: cut where it has more, and filled as the checkpoint does.
    ///
    /// - Parameter length: 1 or more; by default what the checkpoint says, or 77 where it says nothing.
    /// - Returns: A list a text, (texts, length).
    public func encode(_ texts: [String], length: Int? = nil) -> [[Int32]] {
        let length = length ?? fitting.length ?? 77
        precondition(length > 0, "Tokenizer.encode: expected a length of 1 or more, got \(length)")
        return texts.map { text in
            let text = cleaned(text)
            switch engine {
            case .pipeline(let pipeline): return fitting.fit(pipeline.tokens(of: text), special, length: length)
            case .sentencePiece(let tokenizer):
                let tokens = tokenizer.tokens(of: text, length: length, fitting.truncation)
                return fitting.fit(tokens, SpecialTokens(), length: length)
            }
        }
    }

    private func cleaned(_ text: String) -> Text {
        let text = Text(text)
        return cleaning?.clean(text) ?? text
    }

    /// The id of a token; nil where the vocabulary lacks it.
    public func id(of token: String) -> Int32? {
        switch engine {
        case .pipeline(let pipeline): pipeline.id(of: token)
        case .sentencePiece(let tokenizer): tokenizer.id(of: token)
        }
    }
}
