import Communication
import Compute
import Datasets
import Imaging
import Layers
import Models
import Support

/// Masked autoencoding (He et al. 2022): three quarters of the patches are masked, and the model predicts them.
package final class MAE: TrainingMethod {
    package let settings: TrainingSettings<MAESettings>
    package let parameters: TrainedParameters
    private let positions: MAEPositions
    /// Takes a slice of a batch at a time.
    let model: MaskedAutoencoder
    let slices: BatchSlices
    /// A batch as the model takes it (B, C, height, width).
    let images: Tensor
    private let dataset: ImageDataset
    /// Images that the loss is measured on.
    private lazy var measured = FixedImages(dataset, part: .validation, limit: 256, settings: settings)
    /// Images that the report shows; of the training part where none are held out.
    private lazy var shown = FixedImages(
        dataset, part: dataset.validation.isEmpty ? .training : .validation, limit: 8, settings: settings)

    package init(
        _ settings: TrainingSettings<MAESettings>, start: TrainingStart, dataset: ImageDataset, engine: any Engine,
        note: (String) -> Void
    ) throws {
        (self.settings, self.dataset) = (settings, dataset)
        let (configuration, batchSize) = (settings.model, settings.run.batchSize)
        let store = ParameterStore(configuration.trainedShapes.map { ($0.name, $0.shape) })
        positions = try MAEPositions(configuration, start)
        if case .resumed = start {
        } else {
            store.fill(settings.encoder, seed: settings.run.seed)
            if let checkpoint = start.checkpoint { try store.take(checkpoint) { _ in true } }
        }
        parameters = TrainedParameters(store, settings: settings.run, engine: engine)
        var slices = BatchSlices(batchSize: batchSize, activationCount: 0)
        model = try MaskedAutoencoder(
            configuration, from: store, positions: positions, precision: settings.run.precision, engine: engine
        ) {
            slices = BatchSlices(batchSize: batchSize, activationCount: $0)
            return slices.size
        }
        self.slices = slices
        images = Tensor(shape: settings.encoder.imageShape(count: batchSize))
    }

    package var fixedTensors: [(name: String, tensor: Tensor)] {
        [
            ("pos_embed", positions.encoderTable),
            ("decoder_pos_embed", positions.decoder.reshaped([1] + positions.decoder.shape)),
        ]
    }

    package var augmentation: Augmentation {
        switch settings.method.augment {
        case .crop: .crop(RandomResizedCrop(size: settings.encoder.imageSize))
        case .none: settings.wholeImage
        }
    }

    package func pass(_ batch: Batch, step: Int, part: Int) -> Double {
        write(batch, into: images)
        let scale = 1 / Float(settings.run.accumulate * slices.ranges.count)
        return slices.mean { range in
            // The masks belong to a step and an image's place in it, however the step is cut into batches.
            let mask = mask(epoch: step, first: part * settings.run.batchSize + range.lowerBound)
            let images = images.rows(range)
            _ = model.forward(images, mask: mask)
            let loss = model.loss(images, mask: mask, scale: scale)
            if loss.isFinite { model.backward() }
            return loss
        }
    }

    /// Random numbers of `epoch` from image `first` on, as a mask for a slice of a batch.
    func mask(epoch: Int, first: Int) -> PatchMask {
        let encoder = settings.encoder
        let noise = settings.method.sampling.noise(
            imageCount: slices.size, grid: encoder.grid, keptCount: settings.model.keptCount,
            seed: settings.run.seed, epoch: epoch, first: first)
        return PatchMask(noise: noise, patchCount: encoder.patchCount, keptCount: settings.model.keptCount)
    }

    package static var measures: MeasuringTime { .atCheckpoints }

    /// The loss on fixed images under fixed masks, and how the model reconstructs some of them.
    package func measure(step: Int, among communicator: any Communicator) -> Measurement? {
        let loss = measured.loss(self, among: communicator)
        guard communicator.isFirst else { return nil }
        var measurement = Measurement(unreadable: measured.unreadable, damaged: measured.damaged)
        if let loss { measurement.values = [("validation_loss", loss)] }
        measurement.writeFiles = { [self] directory in
            try ReconstructionImages(shown, model: self)?.write(to: directory, step: step)
        }
        return measurement
    }

    /// A model as transformers reads it; the encoder alone where the decoder does not predict pixels.
    package var result: (writer: CheckpointWriter, layout: ExportLayout) {
        let model = settings.model
        let writer = CheckpointWriter(
            configuration: settings.predictsPixels ? model : model.backbone, preprocessing: settings.preprocessing)
        return (writer, .huggingFace)
    }

    package var checkpointWriter: CheckpointWriter {
        CheckpointWriter(configuration: settings.model, preprocessing: settings.preprocessing)
    }
}

extension MAEPositions {
    /// The tables that a run starts with.
    fileprivate init(_ configuration: MAEConfiguration, _ start: TrainingStart) throws {
        switch start {
        case .random: self.init(configuration)
        case .checkpoint(let checkpoint): try self.init(configuration, fitting: checkpoint)
        case .resumed(let directory):
            let tables = try TensorArchive.open(Files.join(directory, "model.safetensors"))
            self.init(
                encoder: try tables.tensor("pos_embed"), decoder: try tables.tensor("decoder_pos_embed"),
                configuration: configuration)
        }
    }

    /// The positions of a checkpoint, resampled to the run's grid where that differs; where it has no decoder, the
    /// sine-cosine table for that.
    private init(_ configuration: MAEConfiguration, fitting checkpoint: Checkpoint) throws {
        let plain = MAEPositions(configuration)
        let (source, encoder) = (try checkpoint.visionTransformer(), configuration.encoder)
        let (isSameGrid, width) = (source.positionGrid == encoder.grid, source.width)
        let stored = try checkpoint.tensor("pos_embed").values
        let fitted = PositionResampling.resample(
            Array(stored.dropFirst(width)), width: width, from: source.positionGrid, to: encoder.grid,
            as: source.positionInterpolation)
        let table = Tensor(Array(stored.prefix(width)) + fitted, shape: [1, 1 + encoder.patchCount, width])
        let decoder = (checkpoint.configuration as? MAEConfiguration)?.decoder
        let hasDecoder = decoder?.width == configuration.decoder.width && isSameGrid
        self.init(
            encoder: decoder != nil && !isSameGrid ? plain.encoderTable : table,
            decoder: hasDecoder ? try checkpoint.tensor("decoder_pos_embed") : plain.decoder,
            configuration: configuration)
    }
}
