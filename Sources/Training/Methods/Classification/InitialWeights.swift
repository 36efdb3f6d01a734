import Checkpoints
import Compute
import Layers
import Models

/// The weights that the training of a classifier starts from.
struct InitialWeights {
    let settings: TrainingSettings<ClassificationSettings>
    /// nil: random weights.
    let checkpoint: Checkpoint?

    /// What is not taken from the checkpoint, a sentence each.
    var notes: [String] {
        guard let checkpoint else { return [] }
        var notes: [String] = []
        let known = Set(checkpoint.parameterShapes.map(\.name))
        if let reason = headObstacle { notes.append("\(checkpoint.path): the head starts afresh: \(reason)") }
        let norm = settings.encoder.finalNorm == .afterPooling ? "fc_norm" : "norm"
        if !known.contains("\(norm).weight") { notes.append("\(checkpoint.path): \(norm) starts afresh") }
        if settings.encoder.hasDistillationToken, !known.contains("dist_token") {
            notes.append("\(checkpoint.path): the distillation token starts afresh")
        }
        let (old, new) = (checkpoint.configuration.positionGrid, settings.encoder.grid)
        if old != new {
            notes.append(
                "\(checkpoint.path): positions are interpolated from \(old.height) × \(old.width) patches to "
                    + "\(new.height) × \(new.width)")
        }
        return notes
    }

    /// Why the checkpoint's head does not serve; nil where it does.
    private var headObstacle: String? {
        guard let checkpoint else { return "there is no checkpoint" }
        let model = checkpoint.configuration
        let (encoder, count) = (settings.encoder, settings.method.classes.count)
        if model.classCount == 0 { return "the checkpoint has none" }
        if model.classCount != count {
            return "the checkpoint has \(model.classCount) classes, the data have \(count)"
        }
        if let labels = checkpoint.labels, labels != settings.method.classes {
            return "the checkpoint's classes are not those of the data"
        }
        if model.pooling != encoder.pooling || model.finalNorm != encoder.finalNorm {
            return "it was trained with another pooling"
        }
        return nil
    }

    func fill(_ store: ParameterStore) throws {
        let (encoder, seed) = (settings.encoder, settings.run.seed)
        store.fill(encoder, seed: seed)
        guard let checkpoint else {
            try fillPositions(store, grid: SinCosPositions.table(grid: encoder.grid, width: encoder.width))
            return
        }
        let keepsHead = headObstacle == nil
        try store.take(checkpoint) { name in
            name != "pos_embed" && (keepsHead || !name.hasPrefix("head"))
        }
        if !keepsHead { ParameterInitialization.fillHead(store, seed: seed) }
        try takePositions(store, checkpoint)
    }

    /// The rows of prefix tokens stay, or are zero where the checkpoint has none; those of the grid are resampled.
    private func takePositions(_ store: ParameterStore, _ checkpoint: Checkpoint) throws {
        let (model, width) = (checkpoint.configuration, settings.encoder.width)
        let stored = try checkpoint.tensor("pos_embed").values
        let storedPrefix = model.positionRowCount - model.positionGrid.height * model.positionGrid.width
        let grid = PositionResampling.resample(
            Array(stored.dropFirst(storedPrefix * width)), width: width, from: model.positionGrid,
            to: settings.encoder.grid, as: .timm)
        try fillPositions(store, prefix: Array(stored.prefix(storedPrefix * width)), grid: grid)
    }

    private func fillPositions(_ store: ParameterStore, prefix: [Float] = [], grid: [Float]) throws {
        let table = try store.parameter("pos_embed").value
        let missing = max(0, table.count - prefix.count - grid.count)
        table.assign(Array((prefix + [Float](repeating: 0, count: missing) + grid).suffix(table.count)))
    }
}
