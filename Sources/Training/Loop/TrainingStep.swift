import Communication
import Compute
import Datasets

/// The outcome of a step.
struct StepOutcome {
    /// The mean over the whole effective batch.
    let loss: Double
    /// The norm of all gradients, before clipping; not a number where the loss is none.
    let gradientNorm: Double
    let rate: Double
    /// The files that went into it, as far as this process read them.
    let paths: [String]

    var isFinite: Bool { loss.isFinite && gradientNorm.isFinite }
}

extension TrainingMethod {
    /// The batches of a run from step `step` on; of several processes, each loads its share.
    func loader(
        _ dataset: ImageDataset, from step: Int = 0, unreadable: [BatchLoader.Unreadable] = [],
        among communicator: any Communicator, report: @escaping (BatchLoader.Unreadable) -> Void
    ) throws -> BatchLoader {
        let run = settings.run
        var options = BatchLoader.Options(
            batchSize: run.batchSize, augmentation: augmentation, normalization: settings.preprocessing)
        options.accumulate = run.accumulate
        options.share = (communicator.rank, communicator.count)
        options.seed = run.seed
        options.decoding = settings.decoding
        options.threads = parameters.engine.threadCount
        options.cacheMemory = run.cacheMemory
        options.isStrict = run.isStrict
        return try BatchLoader(dataset, options: options, startingAt: step, unreadable: unreadable, report: report)
    }

    /// Step number `step`, counted from 0, over the batches of `loader`. Weights stay as they are where the outcome is not
    /// finite.
    func step(_ step: Int, _ loader: BatchLoader, sums: GradientSums, exchange: StepExchange) throws -> StepOutcome {
        let (run, engine) = (settings.run, parameters.engine)
        var (losses, paths) = ([Double](), [String]())
        sums.begin()
        for part in sums.parts {
            let batch = try loader.next()
            paths += batch.paths
            sums.prepare()
            let loss = try pass(batch, step: step, part: part)
            losses.append(loss)
            guard loss.isFinite else { break }
            sums.add(part: part)
        }
        let loss = exchange.run(losses, loader).reduce(0.0) { $0 + $1 / Double(run.accumulate) }
        let rate = run.schedule.rate(at: step)
        guard loss.isFinite else { return StepOutcome(loss: loss, gradientNorm: .nan, rate: rate, paths: paths) }
        sums.finish()
        let norm = engine.norm(parameters.store.gradients)
        let outcome = StepOutcome(loss: loss, gradientNorm: norm, rate: rate, paths: paths)
        guard outcome.isFinite else { return outcome }
        parameters.optimizer.update(
            step: step + 1, learningRate: rate,
            gradientScale: AdamW.clippingScale(norm: norm, limit: run.clip > 0 ? run.clip : nil), engine: engine)
        parameters.average?.update(from: parameters.store, engine: engine)
        return outcome
    }
}
