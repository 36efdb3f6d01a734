import Compute
import Datasets
import Layers
import Models

/// A masked autoencoder with its optimiser: all that changes from one step to the next.
final class MAETrainer {
    /// What a step came to.
    struct Outcome {
        /// The mean over the removed patches of the whole effective batch.
        let loss: Double
        /// The norm of all gradients, before clipping.
        let gradientNorm: Double
        let rate: Double
        /// The files that went into it.
        let paths: [String]

        var isFinite: Bool { loss.isFinite && gradientNorm.isFinite }
    }

    let settings: PretrainingSettings
    let configuration: MAEConfiguration
    let engine: any TrainingEngine
    let store: ParameterStore
    let positions: MAEPositions
    let model: MaskedAutoencoder
    let optimizer: AdamW
    let average: MovingAverage?
    /// Where a batch is put for the model (B, C, height, width).
    let images: Tensor

    /// A model with the weights that `fill` puts into the store.
    init(
        _ settings: PretrainingSettings, positions: MAEPositions? = nil, engine: any TrainingEngine,
        fill: (ParameterStore) throws -> Void
    ) throws {
        self.settings = settings
        self.engine = engine
        configuration = settings.model
        let store = ParameterStore(configuration.trainedShapes.map { ($0.name, $0.shape) })
        self.store = store
        try fill(store)
        self.positions = positions ?? MAEPositions(configuration)
        model = try MaskedAutoencoder(
            configuration, from: store, positions: self.positions, batchSize: settings.batchSize, engine: engine)
        optimizer = AdamW(store, settings: settings.optimizer)
        average =
            settings.averageDecay > 0 ? MovingAverage(decay: Float(settings.averageDecay), of: store) : nil
        images = Tensor(
            shape: [settings.batchSize, settings.channels, settings.imageSize.height, settings.imageSize.width])
    }

    /// Random weights, as MAE draws them.
    static func initialize(_ store: ParameterStore, _ settings: PretrainingSettings) {
        ParameterInitialization.fill(store, seed: settings.seed)
        let inputs = settings.channels * settings.patchSize.height * settings.patchSize.width
        ParameterInitialization.fillPatchBias(store, inputs: inputs, seed: settings.seed)
    }

    /// Step number `step`, counted from 0, over the batches that `next` gives. Weights stay as they are where the
    /// outcome is not finite.
    func step(_ step: Int, next: () throws -> Batch) throws -> Outcome {
        engine.clear(store.gradients)
        var loss = 0.0
        var paths: [String] = []
        for part in 0..<settings.accumulate {
            let batch = try next()
            paths += batch.paths
            unsafe batch.write(into: images.buffer)
            // The masks belong to a step and an image's place in it, however the step is cut into batches.
            let mask = mask(epoch: step, first: part * settings.batchSize)
            _ = model.forward(images, mask: mask)
            loss += model.loss(images, mask: mask, scale: 1 / Float(settings.accumulate)) / Double(settings.accumulate)
            guard loss.isFinite else { break }
            model.backward(mask: mask)
        }
        let norm = engine.norm(store.gradients)
        let rate = settings.schedule.rate(at: step)
        let outcome = Outcome(loss: loss, gradientNorm: norm, rate: rate, paths: paths)
        guard outcome.isFinite else { return outcome }
        let limit = settings.clip > 0 ? settings.clip : nil
        optimizer.update(
            step: step + 1, learningRate: rate, gradientScale: AdamW.clippingScale(norm: norm, limit: limit),
            engine: engine)
        average?.update(from: store)
        return outcome
    }

    /// Random numbers of `epoch` from image `first` on, as a mask for a batch.
    func mask(epoch: Int, first: Int) -> PatchMask {
        let encoder = configuration.encoder
        let noise = settings.sampling.noise(
            imageCount: settings.batchSize, grid: encoder.grid, keptCount: configuration.keptCount,
            seed: settings.seed, epoch: epoch, first: first)
        return PatchMask(noise: noise, patchCount: encoder.patchCount, keptCount: configuration.keptCount)
    }
}

extension MAETrainer {
    /// The tensors of `model.safetensors`: the weights of `arena`, and the tables that are not trained.
    func namedWeights(of arena: Tensor) -> [(name: String, tensor: Tensor)] {
        [("pos_embed", positions.encoderTable), ("decoder_pos_embed", decoderTable)] + named(arena)
    }

    private var decoderTable: Tensor { positions.decoder.reshaped([1] + positions.decoder.shape) }

    /// The tensors of `optimizer.safetensors`.
    var namedMoments: [(name: String, tensor: Tensor)] {
        named(optimizer.firstMoments, prefix: "exp_avg/") + named(optimizer.secondMoments, prefix: "exp_avg_sq/")
            + (average.map { named($0.weights, prefix: "average/") } ?? [])
    }

    private func named(_ arena: Tensor, prefix: String = "") -> [(name: String, tensor: Tensor)] {
        store.entries.map {
            (prefix + $0.name, Tensor(storage: arena.storage, offset: $0.offset, shape: $0.shape))
        }
    }

    /// Puts what `tensor` gives into all places of an arena.
    func fill(_ arena: Tensor, prefix: String = "", from tensor: (String) throws -> Tensor) throws {
        for place in named(arena, prefix: prefix) {
            let source = try tensor(place.name)
            guard source.shape == place.tensor.shape else {
                throw TrainingError(
                    .malformed, "\(place.name) has the shape \(source.shape) where \(place.tensor.shape) was expected")
            }
            place.tensor.assign(source.values)
        }
    }
}
