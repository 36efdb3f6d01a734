import Checkpoints
import Compute
import Layers
import Models

extension MAETrainer {
    /// A trainer as a run begins: with random weights, or with those of a checkpoint.
    static func begin(
        _ settings: PretrainingSettings, checkpoint: Checkpoint?, engine: any TrainingEngine
    ) throws -> MAETrainer {
        guard let checkpoint else {
            return try MAETrainer(settings, engine: engine) { initialize($0, settings) }
        }
        let configuration = settings.model
        let positions = try fittedPositions(configuration, checkpoint)
        return try MAETrainer(settings, positions: positions, engine: engine) { store in
            initialize(store, settings)
            let known = Dictionary(uniqueKeysWithValues: checkpoint.parameterShapes.map { ($0.name, $0.shape) })
            for (index, entry) in store.entries.enumerated() {
                guard let shape = known[entry.name] else { continue }
                guard shape == entry.shape else {
                    throw TrainingError(
                        .usage,
                        "\(checkpoint.path): \(entry.name) has the shape \(shape), the run asks for \(entry.shape); "
                            + "leave out the options that change the model of --init")
                }
                store.parameter(at: index).value.assign(try checkpoint.tensor(entry.name).values)
            }
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
        _ settings: PretrainingSettings, from directory: String, engine: any TrainingEngine
    ) throws -> MAETrainer {
        let weights = try TensorArchive.open(Files.join(directory, "model.safetensors"))
        let moments = try TensorArchive.open(Files.join(directory, "optimizer.safetensors"))
        let positions = MAEPositions(
            encoder: try weights.tensor("pos_embed"), decoder: try weights.tensor("decoder_pos_embed"),
            configuration: settings.model)
        let trainer = try MAETrainer(settings, positions: positions, engine: engine) { _ in }
        try trainer.fill(trainer.store.weights) { try weights.tensor($0) }
        try trainer.fill(trainer.optimizer.firstMoments, prefix: "exp_avg/") { try moments.tensor($0) }
        try trainer.fill(trainer.optimizer.secondMoments, prefix: "exp_avg_sq/") { try moments.tensor($0) }
        if let average = trainer.average {
            try trainer.fill(average.weights, prefix: "average/") { try moments.tensor($0) }
        }
        return trainer
    }

    /// Writes what a run needs to go on from here.
    func save(_ state: RunState, to run: RunDirectory) throws {
        try run.writeWhole(run.checkpoint(state.step)) { directory in
            try TensorArchive.write(
                namedWeights(of: store.weights), to: Files.join(directory, "model.safetensors"))
            try TensorArchive.write(namedMoments, to: Files.join(directory, "optimizer.safetensors"))
            try Files.write(state.json.text() + "\n", to: Files.join(directory, "state.json"))
        }
    }

    /// Writes the model as transformers reads it; the encoder alone where the decoder does not give pixels.
    func export(to run: RunDirectory) throws {
        let givesPixels = configuration.target == .normalized || configuration.target == .pixels
        var writer = CheckpointWriter(
            configuration: configuration.encoder, preprocessing: settings.preprocessing,
            maeDecoder: givesPixels ? configuration.decoder : nil)
        writer.maeTarget = configuration.target
        writer.maeMaskRatio = settings.maskRatio
        let tensors = Dictionary(
            uniqueKeysWithValues: namedWeights(of: average?.weights ?? store.weights).map { ($0.name, $0.tensor) })
        try run.writeWhole(run.model) { directory in
            try writer.write(to: directory, as: .huggingFace) { (name) throws(CheckpointError) in
                guard let tensor = tensors[name] else {
                    throw CheckpointError(.malformed, directory, "the model has no tensor \(name)")
                }
                return tensor
            }
        }
    }
}
