/// Why a checkpoint cannot compute the requested features: one sentence.
public struct EmbeddingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The sentence.
    public let description: String
}
