import Checkpoints
import Compute
import Layers
import Models
import Support

extension MAETrainer {
    /// A trainer as a run begins: with random weights, or with those of a checkpoint.
    static func begin(
        _ settings: PretrainingSettings, checkpoint: Checkpoint?, engine: any Engine
    ) throws -> MAETrainer {
        guard let checkpoint else {
            return try MAETrainer(settings, engine: engine) { initialize($0, settings) }
        }
        let configuration = settings.model
        let positions = try fittedPositions(configuration, checkpoint)
        return try MAETrainer(settings, positions: positions, engine: engine) { store in
            initialize(store, settings)
            try store.take(checkpoint) { _ in true }
        }
    }

    /// The positions of a checkpoint, fitted to the run's grid where that differs; where there is no decoder, its
    /// sine-cosine table.
    private static func fittedPositions(
        _ configuration: MAEConfiguration, _ checkpoint: Checkpoint
    ) throws -> MAEPositions {
        let plain = MAEPositions(configuration)
        let model = checkpoint.configuration
        let isSameGrid = model.positionGrid == configuration.encoder.grid
        let stored = try checkpoint.tensor("pos_embed")
        let width = model.width
        let fitted = PositionResampling.resample(
            Array(stored.values.dropFirst(width)), width: width, from: model.positionGrid,
            to: configuration.encoder.grid, as: model.positionInterpolation)
        let encoder = Tensor(
            Array(stored.values.prefix(width)) + fitted, shape: [1, 1 + configuration.encoder.patchCount, width])
        let hasDecoder = checkpoint.maeDecoder?.width == configuration.decoder.width && isSameGrid
        return MAEPositions(
            encoder: checkpoint.maeDecoder != nil && !isSameGrid ? plain.encoderTable : encoder,
            decoder: hasDecoder ? try checkpoint.tensor("decoder_pos_embed") : plain.decoder,
            configuration: configuration)
    }

    /// A trainer as it was when `directory` was written.
    static func resume(
        _ settings: PretrainingSettings, from directory: String, engine: any Engine
    ) throws -> MAETrainer {
        let weights = try TensorArchive.open(Files.join(directory, "model.safetensors"))
        let positions = MAEPositions(
            encoder: try weights.tensor("pos_embed"), decoder: try weights.tensor("decoder_pos_embed"),
            configuration: settings.model)
        let trainer = try MAETrainer(settings, positions: positions, engine: engine) { _ in }
        try trainer.parameters.restore(from: directory)
        return trainer
    }

    /// Writes the model as transformers reads it; the encoder alone where the decoder does not give pixels.
    func export(to run: RunDirectory) throws {
        let givesPixels = configuration.target == .normalized || configuration.target == .pixels
        var writer = CheckpointWriter(
            configuration: configuration.encoder, preprocessing: settings.preprocessing,
            maeDecoder: givesPixels ? configuration.decoder : nil)
        writer.maeTarget = configuration.target
        writer.maeMaskRatio = settings.maskRatio
        try export(writer, as: .huggingFace, to: run)
    }
}
