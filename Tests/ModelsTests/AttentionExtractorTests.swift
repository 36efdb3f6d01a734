import Compute
import Foundation
import Layers
import Models
import TestTools
import Testing

/// Attention weights and tokens block by block, compared with transformers' `output_attentions` and hidden states.
struct AttentionExtractorTests {
    @Test func weightsAndTokensEqualTheReference() throws {
        let golden = try Goldens("features-hf-vit")
        let checkpoint = try Self.checkpoint()
        let extractor = try AttentionExtractor(
            checkpoint.configuration, from: checkpoint, engine: Engines.make(threads: 2), batchSize: 2)
        let input = try golden["input"].values
        let images = Tensor(input.map { -$0 } + input, shape: [2, 3, 16, 16])
        let weights = Tensor(shape: [2, 2, 17, 17])
        var blocks: [Int] = []
        extractor.forEachBlock(images, weights: weights) { block, tokens in
            blocks.append(block)
            do {
                let expected = try golden["attention/\(block - 1)"].values
                #expect(isClose(weights.rows(1..<2).values, expected, within: 1e-6))
                let states = try golden["hidden/\(block)"].values
                #expect(isClose(tokens.rows(1..<2).values, states, within: 1e-5))
            } catch {
                Issue.record(error)
            }
        }
        #expect(blocks == [1, 2])
    }

    @Test func blocksAfterTheLastOneAskedForAreNotRead() throws {
        let checkpoint = try Self.checkpoint()
        let engine = Engines.make(threads: 2)
        let images = Tensor(try Goldens("features-hf-vit")["input"].values, shape: [1, 3, 16, 16])
        func weights(_ extractor: AttentionExtractor) -> [[Float]] {
            let weights = Tensor(shape: [1, 2, 17, 17])
            var blocks: [[Float]] = []
            extractor.forEachBlock(images, weights: weights) { _, _ in blocks.append(weights.values) }
            return blocks
        }
        let source = FirstBlockOnly(checkpoint: checkpoint)
        #expect(throws: FirstBlockOnly.LaterBlock.self) {
            try AttentionExtractor(checkpoint.configuration, from: source, engine: engine, batchSize: 1)
        }
        let first = try AttentionExtractor(
            checkpoint.configuration, layers: 1, from: source, engine: engine, batchSize: 1)
        let all = try AttentionExtractor(checkpoint.configuration, from: checkpoint, engine: engine, batchSize: 1)
        #expect(weights(first) == Array(weights(all).prefix(1)))
    }

    private static func checkpoint() throws -> Checkpoint {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try Checkpoint.open(folder.appending(path: "Fixtures/checkpoints/hf-vit").path)
    }
}

/// The parameters of a checkpoint, those of its second block excepted.
private struct FirstBlockOnly: ParameterSource {
    struct LaterBlock: Error {}

    let checkpoint: Checkpoint

    func parameter(_ name: String) throws -> Parameter {
        if name.hasPrefix("blocks.1.") { throw LaterBlock() }
        return try checkpoint.parameter(name)
    }

    func didPack(_ name: String) {}
}
