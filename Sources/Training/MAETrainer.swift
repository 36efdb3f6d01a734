import Compute
import Datasets
import Layers
import Models

/// A masked autoencoder with its optimiser: all that changes from one step to the next.
final class MAETrainer: Trainer {
    let settings: PretrainingSettings
    let configuration: MAEConfiguration
    let parameters: TrainedParameters
    let positions: MAEPositions
    /// Takes a slice of a batch at a time.
    let model: MaskedAutoencoder
    let slices: BatchSlices
    /// Where a batch is put for the model (B, C, height, width).
    let images: Tensor

    /// A model with the weights that `fill` puts into the store.
    init(
        _ settings: PretrainingSettings, positions: MAEPositions? = nil, engine: any Engine,
        fill: (ParameterStore) throws -> Void
    ) throws {
        self.settings = settings
        configuration = settings.model
        let store = ParameterStore(configuration.trainedShapes.map { ($0.name, $0.shape) })
        try fill(store)
        parameters = TrainedParameters(store, settings: settings.run, engine: engine)
        self.positions = positions ?? MAEPositions(configuration)
        var slices = BatchSlices(batchSize: settings.batchSize, activationCount: 0)
        model = try MaskedAutoencoder(
            configuration, from: store, positions: self.positions, engine: engine
        ) { activationCount in
            slices = BatchSlices(batchSize: settings.batchSize, activationCount: activationCount)
            return slices.size
        }
        self.slices = slices
        images = Tensor(
            shape: [settings.batchSize, settings.channels, settings.imageSize.height, settings.imageSize.width])
    }

    /// Random weights, as MAE draws them.
    static func initialize(_ store: ParameterStore, _ settings: PretrainingSettings) {
        ParameterInitialization.fill(store, seed: settings.seed)
        let inputs = settings.channels * settings.patchSize.height * settings.patchSize.width
        ParameterInitialization.fillPatchBias(store, inputs: inputs, seed: settings.seed)
    }

    var run: RunSettings { settings.run }

    func pass(_ batch: Batch, step: Int, part: Int) -> Double {
        write(batch, into: images)
        let scale = 1 / Float(settings.accumulate * slices.ranges.count)
        return slices.mean { range in
            // The masks belong to a step and an image's place in it, however the step is cut into batches.
            let mask = mask(epoch: step, first: part * settings.batchSize + range.lowerBound)
            let images = images.rows(range)
            _ = model.forward(images, mask: mask)
            let loss = model.loss(images, mask: mask, scale: scale)
            if loss.isFinite { model.backward() }
            return loss
        }
    }

    /// Random numbers of `epoch` from image `first` on, as a mask for a slice of a batch.
    func mask(epoch: Int, first: Int) -> PatchMask {
        let encoder = configuration.encoder
        let noise = settings.sampling.noise(
            imageCount: slices.size, grid: encoder.grid, keptCount: configuration.keptCount,
            seed: settings.seed, epoch: epoch, first: first)
        return PatchMask(noise: noise, patchCount: encoder.patchCount, keptCount: configuration.keptCount)
    }
}

extension MAETrainer {
    var fixedTensors: [(name: String, tensor: Tensor)] {
        [
            ("pos_embed", positions.encoderTable),
            ("decoder_pos_embed", positions.decoder.reshaped([1] + positions.decoder.shape)),
        ]
    }
}
