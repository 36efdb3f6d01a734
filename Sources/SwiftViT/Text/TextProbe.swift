import Models

/// A fingerprint of a text tower's weights.
enum TextProbe {
    /// Some numbers of the embedding of tokens from the whole vocabulary; no tokenizer is needed.
    static func values(_ tower: TextEncoder) throws -> [Float] {
        let configuration = tower.configuration
        let count = min(8, configuration.contextLength)
        let tokens = (0..<count).map { Int32($0 * (configuration.vocabularySize - 1) / max(1, count - 1)) }
        let values = try tower.embeddings([tokens]).values
        return stride(from: 0, to: values.count, by: max(1, values.count / 16)).map { values[$0] }
    }
}
