import Checkpoints
import Compute
import Foundation
import Models
import Testing

/// What lies inside the blocks, held to transformers' `output_attentions` and hidden states.
struct AttentionExtractorTests {
    @Test func weightsAndTokensEqualTheReference() throws {
        let golden = try Goldens("features-hf-vit")
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let checkpoint = try Checkpoint.open(folder.appending(path: "Fixtures/checkpoints/hf-vit").path)
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
                #expect(zip(weights.rows(1..<2).values, expected).allSatisfy { abs($0 - $1) < 1e-6 })
                let states = try golden["hidden/\(block)"].values
                #expect(zip(tokens.rows(1..<2).values, states).allSatisfy { abs($0 - $1) < 1e-5 })
            } catch {
                Issue.record(error)
            }
        }
        #expect(blocks == [1, 2])
    }
}
