import Support
import Compute
import Datasets

/// The outcome of a step.
struct StepOutcome {
    /// The mean over the whole effective batch.
    let loss: Double
    /// The norm of all gradients, before clipping.
    let gradientNorm: Double
    let rate: Double
    /// The files that went into it.
    let paths: [String]

    var isFinite: Bool { loss.isFinite && gradientNorm.isFinite }
}

extension TrainingMethod {
    /// The batches of a run from step `step` on.
    func loader(
        _ dataset: ImageDataset, from step: Int = 0, unreadable: [BatchLoader.Unreadable] = [],
        report: @escaping (BatchLoader.Unreadable) -> Void
    ) throws -> BatchLoader {
        let run = settings.run
        var options = BatchLoader.Options(
            batchSize: run.batchSize, augmentation: augmentation, normalization: settings.preprocessing)
        options.accumulate = run.accumulate
        options.seed = run.seed
        options.decoding = settings.decoding
        options.threads = parameters.engine.threadCount
        options.cacheMemory = run.cacheMemory
        options.isStrict = run.isStrict
        return try BatchLoader(dataset, options: options, startingAt: step, unreadable: unreadable, report: report)
    }

    /// Step number `step`, counted from 0, over the batches that `next` gives. Weights stay as they are where the
    /// outcome is not finite.
    func step(_ step: Int, next: () throws -> Batch) throws -> StepOutcome {
        let (run, engine) = (settings.run, parameters.engine)
        engine.zero(parameters.store.gradients)
        var loss = 0.0
        var paths: [String] = []
        for part in 0..<run.accumulate {
            let batch = try next()
            paths += batch.paths
            loss += try pass(batch, step: step, part: part) / Double(run.accumulate)
            guard loss.isFinite else { break }
        }
        let norm = engine.norm(parameters.store.gradients)
        let rate = run.schedule.rate(at: step)
        let outcome = StepOutcome(loss: loss, gradientNorm: norm, rate: rate, paths: paths)
        guard outcome.isFinite else { return outcome }
        parameters.optimizer.update(
            step: step + 1, learningRate: rate,
            gradientScale: AdamW.clippingScale(norm: norm, limit: run.clip > 0 ? run.clip : nil), engine: engine)
        parameters.average?.update(from: parameters.store, engine: engine)
        return outcome
    }
}
