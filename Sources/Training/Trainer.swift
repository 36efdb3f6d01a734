import Checkpoints
import Compute
import Datasets
import Support

/// A model with its optimiser: all that changes from one step to the next.
protocol Trainer: AnyObject {
    var run: RunSettings { get }
    var parameters: TrainedParameters { get }
    /// Tables that belong to the model and are not trained.
    var fixedTensors: [(name: String, tensor: Tensor)] { get }
    /// The loss of a batch, the mean over its images; the gradient of its share of the step is added.
    func pass(_ batch: Batch, step: Int, part: Int) throws -> Double
}

/// What a step came to.
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

extension Trainer {
    var fixedTensors: [(name: String, tensor: Tensor)] { [] }

    /// Step number `step`, counted from 0, over the batches that `next` gives. Weights stay as they are where the
    /// outcome is not finite.
    func step(_ step: Int, next: () throws -> Batch) throws -> StepOutcome {
        let engine = parameters.engine
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
        let limit = run.clip > 0 ? run.clip : nil
        parameters.optimizer.update(
            step: step + 1, learningRate: rate, gradientScale: AdamW.clippingScale(norm: norm, limit: limit),
            engine: engine)
        parameters.average?.update(from: parameters.store, engine: engine)
        return outcome
    }

    /// Puts a batch where the model takes it (B, C, height, width), normalised.
    func write(_ batch: Batch, into images: Tensor) {
        parameters.engine.forEachTask(batch.images.count) { slot in unsafe batch.write(slot, into: images.buffer) }
    }

    /// The tensors of `model.safetensors`: the weights of `arena`, and the tables that are not trained.
    func namedWeights(of arena: Tensor) -> [(name: String, tensor: Tensor)] { fixedTensors + parameters.named(arena) }

    /// Writes what a run needs to go on from here.
    func save(_ state: RunState, to run: RunDirectory) throws {
        try OutputDirectory.write(run.checkpoint(state.step), existing: .replace) { directory in
            try TensorArchive.write(
                namedWeights(of: parameters.store.weights), to: Files.join(directory, "model.safetensors"))
            try TensorArchive.write(parameters.namedMoments, to: Files.join(directory, "optimizer.safetensors"))
            try Files.write(state.json.text() + "\n", to: Files.join(directory, "state.json"))
        }
    }

    /// Writes the result of the run as a checkpoint that others read.
    func export(_ writer: CheckpointWriter, as layout: ExportLayout, to run: RunDirectory) throws {
        let tensors = Dictionary(
            uniqueKeysWithValues: namedWeights(of: parameters.result).map { ($0.name, $0.tensor) })
        try OutputDirectory.write(run.model, existing: .replace) { directory in
            try writer.write(to: directory, as: layout) { (name) throws(CheckpointError) in
                guard let tensor = tensors[name] else {
                    throw CheckpointError(.malformed, directory, "the model has no tensor \(name)")
                }
                return tensor
            }
        }
    }
}
