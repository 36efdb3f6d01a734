import Models
import Support
import Testing

/// What a model takes at least, by its shape alone.
struct MemoryNeedTests {
    @Test func weightsAreCountedWithWhatTrainingKeepsOfThem() {
        let base = ViTConfiguration()
        let count = base.parameterShapes.reduce(0) { $0 + $1.shape.reduce(1, *) }
        let inference = MemoryNeed.inference(base, imageCount: 1)
        #expect(inference.parameterCount == Double(count))
        let images = MemoryNeed.inference(base, imageCount: 3).bytes - inference.bytes
        #expect(images == 2 * Double(4 * 3 * 224 * 224 + 4 * 4 * 768 * 197))
        let training = (4...5).map { MemoryNeed.training(base, imageCount: 1, copies: $0).bytes }
        #expect(training[1] - training[0] == Double(4 * count))
        #expect(training[0] > Double(16 * count + 4 * 3 * 224 * 224))
    }

    @Test func attentionGrowsWithTheSquareOfTheTokens() {
        let base = ViTConfiguration()
        let more = MemoryNeed.attention(base, imageCount: 2).bytes - MemoryNeed.inference(base, imageCount: 2).bytes
        #expect(more == Double(4 * 197 * 197 * (2 * 12 + 1)))
    }

    @Test func fewerTokensAndBlocksKeepLess() {
        let base = ViTConfiguration()
        let all = MemoryNeed.training(base, imageCount: 1, copies: 4).bytes
        let half = MemoryNeed.training(base, imageCount: 1, copies: 4, tokenCount: 98, blockCount: 6).bytes
        #expect(all - half == Double(10 * 768 * (12 * 197 - 6 * 98)))
        let model = MAEConfiguration(encoder: base)
        let mae = MemoryNeed.training(model, imageCount: 1, copies: 4)
        let activations = 10 * (768 * 12 * model.keptCount + 512 * 8 * 196)
        #expect(mae.bytes == 16 * mae.parameterCount + Double(4 * 3 * 224 * 224 + activations))
    }

    @Test func sizesWhoseProductsOverflowAreCounted() throws {
        var model = ViTConfiguration()
        (model.width, model.hiddenWidth, model.depth) = (1 << 20, 1 << 22, 4096)
        model.imageSize = Size(square: 1 << 20)
        model.patchSize = Size(square: 1 << 12)
        let need = MemoryNeed.training(model, imageCount: 1 << 20, copies: 5)
        #expect(need.parameterCount > 4e16 && need.bytes > 1e19 && need.bytes.isFinite)
        let error = #expect(throws: MemoryShortage.self) { try need.check() }
        #expect(error?.description.contains("TB of memory") == true)
    }

    @Test func theLimitIsTheLastThatFits() throws {
        let need = MemoryNeed.inference(ViTConfiguration(), imageCount: 8)
        try need.check(limit: Int(need.bytes))
        let error = #expect(throws: MemoryShortage.self) { try need.check(limit: Int(need.bytes) - 1) }
        #expect(
            error?.description
                == "the model has 86.6 million parameters, and using it takes at least 370 MB of memory; this process may "
                + "have 370 MB; use a smaller model, smaller images or fewer at a time")
    }

    @Test func aProcessMayHaveSomeMemory() {
        #expect(MemoryLimit.bytes > 1 << 28)
        #expect(MemoryLimit.bytes > PeakMemory.bytes)
    }
}
