import Compute
import Layers
import Support

/// A text tower that embeds any number of texts, a batch at a time; one thread at a time runs it.
package final class TextEncoder: Sendable {
    package let configuration: TextTowerConfiguration
    private let tower: TextTower
    private let batchSize: Int
    private let state: Locked<State>

    private struct State {
        let workspace: Workspace
        var pass: TextTowerPass
        var shape: [Int]
    }

    /// Builds the text tower from the parameters of `source`.
    ///
    /// - Parameter batchSize: texts that are computed at once.
    package convenience init(
        _ configuration: TextTowerConfiguration, from source: some ParameterSource, precision: Precision,
        engine: any Engine, batchSize: Int
    ) throws {
        let builder = LayerBuilder(source, engine: engine, precision: precision)
        self.init(try TextTower(configuration, builder), batchSize: batchSize, engine: engine)
    }

    /// - Parameter batchSize: texts that are computed at once.
    init(_ tower: TextTower, batchSize: Int, engine: any Engine) {
        precondition(batchSize > 0, "TextEncoder: expected a batch of one text or more, got \(batchSize)")
        (self.tower, self.batchSize) = (tower, batchSize)
        configuration = tower.configuration
        let length = tower.configuration.contextLength
        let (pass, workspace) = Workspace.plan(engine: engine, keepsActivations: false) { workspace in
            TextTowerPass(tower, textCount: batchSize, length: length, in: workspace)
        }
        state = Locked(State(workspace: workspace, pass: pass, shape: [batchSize, length]))
    }

    /// The embeddings (T, P) of texts, of which each has 1 to `contextLength` tokens of the vocabulary.
    ///
    /// Where tokens see none behind themselves, those behind the one that stands for a text are not computed. Texts of one
    /// length go together, so that nothing is padded.
    package func embeddings(_ texts: [[Int32]]) throws(TextTokenError) -> Tensor {
        try check(texts)
        let result = Tensor(shape: [texts.count, configuration.embeddingWidth])
        let places = texts.map { configuration.pooledPlace(in: $0) }
        func length(_ text: Int) -> Int { configuration.isCausal ? places[text] + 1 : texts[text].count }
        let groups = Dictionary(grouping: texts.indices, by: length)
        for (length, members) in groups.sorted(by: { $0.key < $1.key }) {
            for first in stride(from: 0, to: members.count, by: batchSize) {
                let batch = Array(members[first..<min(first + batchSize, members.count)])
                let part = Tensor(shape: [batch.count, configuration.embeddingWidth])
                run(
                    batch.map { texts[$0].prefix(length) }, places: batch.map { Int32(places[$0]) }, into: part)
                let values = part.values
                for (row, text) in batch.enumerated() {
                    result.assign(
                        Array(values[row * result.shape[1]..<(row + 1) * result.shape[1]]), at: text * result.shape[1])
                }
            }
        }
        return result
    }

    private func run(_ texts: [ArraySlice<Int32>], places: [Int32], into embeddings: Tensor) {
        let shape = [texts.count, texts[0].count]
        state.withLock { state in
            if state.shape != shape {
                state.pass = state.workspace.replan { workspace in
                    TextTowerPass(tower, textCount: shape[0], length: shape[1], in: workspace)
                }
                state.shape = shape
            }
            state.pass.forward(texts, places: places, into: embeddings)
        }
    }

    private func check(_ texts: [[Int32]]) throws(TextTokenError) {
        for (number, text) in texts.enumerated() {
            guard (1...configuration.contextLength).contains(text.count) else {
                throw TextTokenError(
                    "text \(number) has \(text.count) tokens; the model takes 1 to \(configuration.contextLength)")
            }
            guard let token = text.first(where: { !(0..<Int32(configuration.vocabularySize)).contains($0) }) else {
                continue
            }
            throw TextTokenError(
                "text \(number) has the token \(token); the model knows 0 to \(configuration.vocabularySize - 1)")
        }
    }
}

/// Tokens that a text tower cannot take: one sentence with the text, what is wrong and what would be right.
public struct TextTokenError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}
