import Compute
import Layers
import Models
import Support
import Testing
import Training

/// Batches that are cut, since what they leave for the way back is too much at once.
@Suite struct BatchSliceTests {
    @Test(arguments: [
        (16, 1_000, 16), (16, 15_000_000, 8), (64, 15_000_000, 8), (30, 14_000_000, 6), (7, 100_000_000, 1),
        (12, 500_000_000, 1),
        // A slice of one would use the cores badly.
        (13, 10_000_000, 13),
    ])
    func slicesAreAsLargeAsFits(batchSize: Int, activationCount: Int, size: Int) {
        let slices = BatchSlices(batchSize: batchSize, activationCount: activationCount)
        #expect(slices.size == size)
        #expect(slices.ranges.flatMap { Array($0) } == Array(0..<batchSize))
    }

    @Test func theMeanEndsWhereALossIsNoNumber() {
        let slices = BatchSlices(batchSize: 6, activationCount: 60_000_000)
        #expect(slices.mean { Double($0.lowerBound) } == 2)
        var seen = 0
        let mean = slices.mean { _ in
            seen += 1
            return seen == 2 ? .nan : 1
        }
        #expect(mean.isNaN && seen == 2)
    }

    /// Masks, drop path and losses of a slice are those of its place in the step: bits are those of accumulated batches.
    @Test func aCutBatchOfFinetuningIsTwoBatchesOfAStep() throws {
        func weights(batch: Int, accumulate: Int) throws -> [UInt8] {
            var run = try TinyClassRun(imagesPerClass: 60)
            (run.options.imageSize, run.options.width, run.options.depth) = (Size(square: 64), 64, 12)
            (run.options.batchSize, run.options.accumulate, run.options.steps) = (batch, accumulate, 1)
            (run.options.mixup, run.options.cutmix, run.options.dropPath) = (0, 0, 0.5)
            run.options.patchDropout = 0.1
            try run.train(threads: 4)
            let settings = try run.options.resolve().settings
            let store = ParameterStore(settings.model.parameterShapes.map { ($0.name, $0.shape) })
            _ = try TrainableClassifier(
                settings.model, store: store, keptCount: 230, engine: Engines.make(threads: 1)
            ) { count in
                #expect(BatchSlices(batchSize: 128, activationCount: count).size == 64)
                return 1
            }
            return try run.weights()[1]
        }
        #expect(try weights(batch: 128, accumulate: 1) == weights(batch: 64, accumulate: 2))
    }

    @Test func aCutBatchOfPretrainingIsTwoBatchesOfAStep() throws {
        func weights(batch: Int, accumulate: Int) throws -> [UInt8] {
            var run = try TinyRun(count: 170)
            (run.options.imageSize, run.options.width, run.options.depth) = (Size(square: 64), 64, 12)
            (run.options.decoderWidth, run.options.decoderDepth) = (64, 8)
            (run.options.batchSize, run.options.accumulate, run.options.steps) = (batch, accumulate, 1)
            try run.train(threads: 4)
            let model = try run.options.resolve().settings.model
            _ = try MaskedAutoencoder(
                model, from: ParameterStore(model.trainedShapes.map { ($0.name, $0.shape) }),
                positions: MAEPositions(model), engine: Engines.make(threads: 1)
            ) { count in
                #expect(BatchSlices(batchSize: 128, activationCount: count).size == 64)
                return 1
            }
            return try run.weights()
        }
        #expect(try weights(batch: 128, accumulate: 1) == weights(batch: 64, accumulate: 2))
    }
}
