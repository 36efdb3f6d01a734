import Compute
import Layers
import Models

/// The weights that the training of a classifier starts from, whatever its classes are.
struct InitialWeights {
    private let encoder: ViTConfiguration
    private let classes: [String]
    private let seed: UInt64
    private let checkpoint: Checkpoint?

    /// - Parameter checkpoint: nil: random weights.
    init<Own>(_ settings: TrainingSettings<Own>, classes: [String], checkpoint: Checkpoint?) {
        (encoder, seed) = (settings.encoder, settings.run.seed)
        (self.classes, self.checkpoint) = (classes, checkpoint)
    }

    /// What is not taken from the checkpoint, a sentence each.
    var notes: [String] {
        guard let checkpoint else { return [] }
        var notes: [String] = []
        let known = Set(checkpoint.parameterShapes.map(\.name))
        if let reason = headObstacle { notes.append("\(checkpoint.path): the head starts afresh: \(reason)") }
        let norm = encoder.finalNorm == .afterPooling ? "fc_norm" : "norm"
        if !known.contains("\(norm).weight") { notes.append("\(checkpoint.path): \(norm) starts afresh") }
        if encoder.hasDistillationToken, !known.contains("dist_token") {
            notes.append("\(checkpoint.path): the distillation token starts afresh")
        }
        let (old, new) = (checkpoint.configuration.positionGrid, encoder.grid)
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
        guard let model = checkpoint.configuration.backbone as? ViTConfiguration else {
            return "it is of another model"
        }
        if model.classCount == 0 { return "the checkpoint has none" }
        if model.classCount != classes.count {
            return "the checkpoint has \(model.classCount) classes, the run has \(classes.count)"
        }
        if let labels = checkpoint.labels, labels != classes {
            return "the checkpoint's classes are not those of the run"
        }
        if model.pooling != encoder.pooling || model.finalNorm != encoder.finalNorm {
            return "it was trained with another pooling"
        }
        return nil
    }

    func fill(_ store: ParameterStore) throws {
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
        let (model, width) = (try checkpoint.visionTransformer(), encoder.width)
        let stored = try checkpoint.tensor("pos_embed").values
        let storedPrefix = model.positionRowCount - model.positionGrid.height * model.positionGrid.width
        let grid = PositionResampling.resample(
            Array(stored.dropFirst(storedPrefix * width)), width: width, from: model.positionGrid,
            to: encoder.grid, as: .timm)
        try fillPositions(store, prefix: Array(stored.prefix(storedPrefix * width)), grid: grid)
    }

    private func fillPositions(_ store: ParameterStore, prefix: [Float] = [], grid: [Float]) throws {
        let table = try store.parameter("pos_embed").value
        let missing = max(0, table.count - prefix.count - grid.count)
        table.assign(Array((prefix + [Float](repeating: 0, count: missing) + grid).suffix(table.count)))
    }
}
