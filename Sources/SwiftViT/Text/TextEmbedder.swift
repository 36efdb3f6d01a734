import Compute
import Models
import Support
import Tokenizers

/// Embeds texts with the text tower of a model that compares images with words (CLIP, SigLIP).
///
/// ```swift
/// let embedder = try TextEmbedder(checkpoint: "checkpoints/clip")
/// let vector = try embedder.embed("a red car at night")
/// ```
public final class TextEmbedder: Sendable {
    /// The options.
    public struct Options: Sendable {
        /// The number of threads; nil: as many as the process may use. Results do not depend on it.
        public var threads: Int?
        /// Texts per forward pass, 1 or more. Results do not depend on it.
        public var batchSize = 32
        /// How the model's products of matrices are computed.
        public var precision = Precision.float32
        /// Whether each vector is divided by its Euclidean length.
        public var isNormalized = false
        /// The tokenizer's file or directory; nil: the checkpoint's own.
        public var tokenizer: String?

        /// The defaults.
        public init() {}
    }

    /// The checkpoint that the weights come from.
    public let checkpoint: Checkpoint
    /// The model's shape.
    public let configuration: TwoTowerConfiguration
    let options: Options
    private let tokenizer: Tokenizer
    private let engine: any Engine
    private let lazyTower = Locked<TextEncoder?>(nil)

    /// Opens the checkpoint at `path`, a directory or a weights file.
    ///
    /// Errors: `CheckpointError`; `TokenizerError`; `ModelUseError` if the checkpoint has no text tower.
    public convenience init(checkpoint path: String, options: Options = Options()) throws {
        try self.init(Checkpoint.open(path), options: options)
    }

    /// An embedder that packs the weights when the first text arrives.
    package init(_ checkpoint: Checkpoint, options: Options = Options(), engine: (any Engine)? = nil) throws {
        precondition(options.batchSize >= 1, "TextEmbedder: expected a batch of 1 or more, got \(options.batchSize)")
        guard let configuration = checkpoint.configuration as? TwoTowerConfiguration else {
            throw ModelUseError.noTextTower(path: checkpoint.path)
        }
        (self.checkpoint, self.configuration, self.options) = (checkpoint, configuration, options)
        tokenizer = try Self.tokenizer(options.tokenizer, of: checkpoint)
        self.engine = engine ?? Engines.make(threads: options.threads)
    }

    /// The length of an embedding.
    public var width: Int { configuration.embeddingWidth }

    /// The embedding of a text.
    public func embed(_ text: String) throws -> [Float] { try embed([text])[0] }

    /// The embeddings of texts, in their order; long texts are cut off where the model's context ends.
    public func embed(_ texts: [String]) throws -> [[Float]] {
        let tokens = tokenizer.encode(texts, length: configuration.text.contextLength)
        try check(tokens)
        let embeddings = try tower().embeddings(tokens)
        if options.isNormalized { engine.normalizeRows(embeddings) }
        let values = embeddings.values
        return texts.indices.map { Array(values[$0 * width..<($0 + 1) * width]) }
    }

    /// The folder that a checkpoint lies in, with its tokenizer.
    static func directory(of checkpoint: Checkpoint) throws -> String {
        if try Files.kind(of: checkpoint.path) == .directory { return checkpoint.path }
        let directory = Files.directory(of: checkpoint.path)
        return directory.isEmpty ? "." : directory
    }

    private static func tokenizer(_ stated: String?, of checkpoint: Checkpoint) throws -> Tokenizer {
        let path = try stated ?? directory(of: checkpoint)
        guard try Files.kind(of: path) == .directory else { return try Tokenizer(contentsOf: path) }
        // A directory may hold both programs' files; the model's layout tells which of them it was trained with.
        return try Tokenizer(directory: path, convention: checkpoint.layout == .openCLIP ? .openCLIP : nil)
    }

    private func check(_ texts: [[Int32]]) throws(ModelUseError) {
        let known = 0..<Int32(clamping: configuration.text.vocabularySize)
        guard let token = texts.lazy.compactMap({ $0.first { !known.contains($0) } }).first else { return }
        throw .unfitting(
            "\(options.tokenizer ?? checkpoint.path): makes the token \(token), and the model knows 0 to \(known.upperBound - 1); "
                + "use the tokenizer that it was trained with")
    }

    /// A fingerprint of the weights.
    func probe() throws -> [Float] { try TextProbe.values(tower()) }

    /// The tower; the first call packs its weights.
    private func tower() throws -> TextEncoder {
        try lazyTower.withLock { tower in
            if let tower { return tower }
            try MemoryNeed.texts(configuration.text, textCount: options.batchSize).check()
            let new = try TextEncoder(
                configuration.text, from: checkpoint, precision: options.precision, engine: engine,
                batchSize: options.batchSize)
            tower = new
            return new
        }
    }
}
