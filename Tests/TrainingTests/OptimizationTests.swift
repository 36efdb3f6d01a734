import Compute
import Layers
import Models
import Testing

import Training

@Suite struct OptimizationTests {
    private func store() -> ParameterStore {
        let store = ParameterStore([
            ("a", [3, 5]), ("b", [2, 2]), ("c", [7]), ("d", [1]), ("e", [4, 4]),
        ])
        store.weights.assign((0..<store.weights.count).map { Float($0 % 13) - 6 })
        // Gaps between entries have no gradients.
        for index in store.entries.indices {
            let gradient = store.parameter(at: index).gradient
            gradient?.assign((0..<store.entries[index].count).map { Float($0 % 5) - 1.5 + Float(index) })
        }
        return store
    }

    @Test func onePassOverTheArenaIsAPassOverEachEntry() throws {
        let engine = Engines.make(threads: 2)
        let (merged, single) = (store(), store())
        var settings = AdamW.Settings()
        settings.weightDecay = 0.3
        let optimizer = AdamW(merged, settings: settings)
        let moments = (Tensor(shape: single.weights.shape), Tensor(shape: single.weights.shape))
        for step in 1...3 {
            optimizer.update(step: step, learningRate: 0.01, gradientScale: 0.5, engine: engine)
            for entry in single.entries {
                engine.adamW(
                    single.weights, gradients: single.gradients, moments: moments,
                    range: entry.offset..<entry.offset + entry.count,
                    AdamWStep(
                        learningRate: 0.01, weightDecay: entry.decays ? 0.3 : 0, step: step, gradientScale: 0.5))
            }
        }
        for index in merged.entries.indices {
            #expect(merged.parameter(at: index).value.values == single.parameter(at: index).value.values)
        }
    }

    @Test func vectorsDoNotDecay() throws {
        let engine = Engines.make(threads: 1)
        let store = store()
        engine.zero(store.gradients)
        let before = store.weights.values
        var settings = AdamW.Settings()
        settings.weightDecay = 0.5
        AdamW(store, settings: settings).update(step: 1, learningRate: 0.1, engine: engine)
        for entry in store.entries {
            let place = entry.offset + entry.count - 1
            #expect(
                store.weights.values[place] == (entry.decays ? before[place] * 0.95 : before[place]), "\(entry.name)")
        }
    }

    @Test func clippingBringsTheNormToTheLimit() {
        #expect(AdamW.clippingScale(norm: 10, limit: nil) == 1)
        #expect(AdamW.clippingScale(norm: 0.5, limit: 1) == 1)
        // As PyTorch's clip_grad_norm_: limit / (norm + 1e-6).
        #expect(AdamW.clippingScale(norm: 4, limit: 1) == 1 / 4.000001)
    }

    @Test func averageFollowsTheWeights() {
        let store = ParameterStore([("a", [2])])
        store.weights.assign([1, 2] + [Float](repeating: 0, count: store.weights.count - 2))
        let average = MovingAverage(decay: 0.75, of: store)
        store.weights.assign([5, 2] + [Float](repeating: 0, count: store.weights.count - 2))
        average.update(from: store, engine: Engines.make(threads: 2))
        #expect(Array(average.weights.values.prefix(2)) == [2, 2])
        average.update(from: store, engine: Engines.make(threads: 2))
        #expect(Array(average.weights.values.prefix(2)) == [2.75, 2])
    }

    @Test func accumulatedBatchesAreOneLargeBatch() throws {
        func weights(batch: Int, accumulate: Int) throws -> [Float] {
            var run = try TinyRun()
            run.options.batchSize = batch
            run.options.accumulate = accumulate
            run.options.steps = 5
            try run.train()
            let archive = try TensorArchiveValues("\(run.output)/checkpoints/5/model.safetensors")
            return archive.values
        }
        let large = try weights(batch: 8, accumulate: 1)
        // Adam divides by the gradient's size, so rounding shows where a gradient is next to nothing.
        #expect(largestDifference(try weights(batch: 4, accumulate: 2), large) < 1e-4)
        #expect(largestDifference(try weights(batch: 2, accumulate: 4), large) < 1e-4)
    }

    @Test func clippedRunsTakeOtherSteps() throws {
        let (plain, clipped) = (try TinyRun(), try TinyRun())
        var run = clipped
        run.options.clip = 1e-4
        // AdamW does not feel a factor on all gradients of all steps, but does feel one that varies.
        try plain.train()
        try run.train()
        #expect(try plain.weights() != run.weights())
    }

    @Test func theLossFalls() throws {
        var run = try TinyRun()
        run.options.steps = 120
        run.options.rate = 3e-3
        run.options.augment = RunSettings.Augment.none
        try run.train()
        let losses = try MetricsLog.read("\(run.output)/metrics.jsonl").compactMap { line in
            line.values.first { $0.name == "loss" }?.value
        }
        #expect((losses.last ?? 9) < 0.8 * losses[0])
    }
}
