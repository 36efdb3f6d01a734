/// Why a checkpoint does not give the features that are asked for: one sentence.
public struct EmbeddingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The sentence.
    public let description: String
}
