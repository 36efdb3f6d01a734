import Checkpoints
import Compute
import Layers
import Models

extension ParameterStore {
    /// Takes the tensors that a checkpoint has under the same names, as far as `isWanted`.
    ///
    /// Errors: `TrainingError` where one has another shape.
    func take(_ checkpoint: Checkpoint, where isWanted: (String) -> Bool) throws {
        let known = Dictionary(uniqueKeysWithValues: checkpoint.parameterShapes.map { ($0.name, $0.shape) })
        for (index, entry) in entries.enumerated() where isWanted(entry.name) {
            guard let shape = known[entry.name] else { continue }
            guard shape == entry.shape else {
                throw TrainingError(
                    .usage,
                    "\(checkpoint.path): \(entry.name) has the shape \(shape), the run asks for \(entry.shape); "
                        + "leave out the options that change the model of --init")
            }
            parameter(at: index).value.assign(try checkpoint.tensor(entry.name).values)
        }
    }
}

/// The weights that a classifier's training begins with.
struct InitialWeights {
    let settings: FinetuningSettings
    /// Random where nil.
    let checkpoint: Checkpoint?

    /// What is not taken from the checkpoint, a sentence each.
    var notes: [String] {
        guard let checkpoint else { return [] }
        var notes: [String] = []
        let known = Set(checkpoint.parameterShapes.map(\.name))
        if let reason = headObstacle { notes.append("\(checkpoint.path): the head starts fresh: \(reason)") }
        let norm = settings.finalNorm == .afterPooling ? "fc_norm" : "norm"
        if !known.contains("\(norm).weight") { notes.append("\(checkpoint.path): \(norm) starts fresh") }
        if settings.hasDistillationToken, !known.contains("dist_token") {
            notes.append("\(checkpoint.path): the distillation token starts fresh")
        }
        let (old, new) = (checkpoint.configuration.positionGrid, settings.model.grid)
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
        let count = settings.classes.count
        if model.classCount == 0 { return "the checkpoint has none" }
        if model.classCount != count {
            return "the checkpoint has \(model.classCount) classes, the data have \(count)"
        }
        if let labels = checkpoint.labels, labels != settings.classes {
            return "the checkpoint's classes are not those of the data"
        }
        if model.pooling != settings.pooling || model.finalNorm != settings.finalNorm {
            return "it was trained on tokens that are pooled otherwise"
        }
        return nil
    }

    func fill(_ store: ParameterStore) throws {
        ParameterInitialization.fill(store, seed: settings.seed)
        let inputs = settings.channels * settings.patchSize.height * settings.patchSize.width
        ParameterInitialization.fillPatchBias(store, inputs: inputs, seed: settings.seed)
        guard let checkpoint else {
            try fillPositions(store, grid: SinCosPositions.table(grid: settings.model.grid, width: settings.width))
            return
        }
        let keepsHead = headObstacle == nil
        try store.take(checkpoint) { name in
            name != "pos_embed" && (keepsHead || !name.hasPrefix("head"))
        }
        if !keepsHead { ParameterInitialization.fillHead(store, seed: settings.seed) }
        try takePositions(store, checkpoint)
    }

    /// Rows for prefix tokens stay, or are zero where the checkpoint has none; the grid's are fitted.
    private func takePositions(_ store: ParameterStore, _ checkpoint: Checkpoint) throws {
        let (model, width) = (checkpoint.configuration, settings.width)
        let stored = try checkpoint.tensor("pos_embed").values
        let storedPrefix = model.positionRowCount - model.positionGrid.height * model.positionGrid.width
        let grid = PositionResampling.resample(
            Array(stored.dropFirst(storedPrefix * width)), width: width, from: model.positionGrid,
            to: settings.model.grid, as: .timm)
        try fillPositions(store, prefix: Array(stored.prefix(storedPrefix * width)), grid: grid)
    }

    private func fillPositions(_ store: ParameterStore, prefix: [Float] = [], grid: [Float]) throws {
        let table = try store.parameter("pos_embed").value
        let missing = max(0, table.count - prefix.count - grid.count)
        table.assign(Array((prefix + [Float](repeating: 0, count: missing) + grid).suffix(table.count)))
    }
}
