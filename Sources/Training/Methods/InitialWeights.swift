import Compute
import Layers
import Models

/// The weights that the training of a classifier starts from, whatever its classes are.
struct InitialWeights {
    private let encoder: any ModelConfiguration
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
        if let reason = headObstacle { notes.append("\(checkpoint.path): the head starts afresh: \(reason)") }
        let missing = missingNames
        if let norm = missing.first(where: Self.isFinalNorm) {
            notes.append("\(checkpoint.path): \(norm.split(separator: ".")[0]) starts afresh")
        }
        if missing.contains("attn_pool.latent") {
            notes.append("\(checkpoint.path): the attention pooling starts afresh")
        }
        if missing.contains("dist_token") {
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

    /// The encoder's parameters that the checkpoint does not have.
    private var missingNames: [String] {
        let known = Set(checkpoint?.parameterShapes.map(\.name) ?? [])
        return encoder.parameterShapes.map(\.name).filter { !known.contains($0) }
    }

    private static func isFinalNorm(_ name: String) -> Bool { ["norm.weight", "fc_norm.weight"].contains(name) }

    /// Why the checkpoint's head does not serve; nil where it does.
    private var headObstacle: String? {
        guard let checkpoint else { return "there is no checkpoint" }
        let model = checkpoint.configuration.backbone
        if model.classCount == 0 { return "the checkpoint has none" }
        if model.classCount != classes.count {
            return "the checkpoint has \(model.classCount) classes, the run has \(classes.count)"
        }
        if let labels = checkpoint.labels, labels != classes {
            return "the checkpoint's classes are not those of the run"
        }
        if model.headPooling != encoder.headPooling || missingNames.contains(where: Self.isFinalNorm) {
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
        let (width, storedGrid) = (encoder.width, checkpoint.configuration.positionGrid)
        let stored = try checkpoint.tensor("pos_embed").values
        let prefixLength = stored.count - storedGrid.height * storedGrid.width * width
        let grid = PositionResampling.resample(
            Array(stored.dropFirst(prefixLength)), width: width, from: storedGrid, to: encoder.grid, as: .timm)
        try fillPositions(store, prefix: Array(stored.prefix(prefixLength)), grid: grid)
    }

    private func fillPositions(_ store: ParameterStore, prefix: [Float] = [], grid: [Float]) throws {
        let table = try store.parameter("pos_embed").value
        let missing = max(0, table.count - prefix.count - grid.count)
        table.assign(Array((prefix + [Float](repeating: 0, count: missing) + grid).suffix(table.count)))
    }
}
