import Compute
import Layers
import Models
import Support

/// Weights with their optimizer and their average: all numbers that a step changes.
package struct TrainedParameters {
    let engine: any Engine
    let store: ParameterStore
    let optimizer: AdamW
    let average: MovingAverage?

    /// - Parameter group: how each tensor is updated; nil: it is not.
    init(
        _ store: ParameterStore, settings: RunSettings, engine: any Engine,
        group: (ParameterStore.Entry) -> ParameterGroup? = { ParameterGroup(decays: $0.decays) }
    ) {
        self.engine = engine
        self.store = store
        optimizer = AdamW(store, settings: settings.optimizer, group: group)
        average =
            settings.averageDecay > 0 ? MovingAverage(decay: Float(settings.averageDecay), of: store) : nil
    }

    /// The weights that are the result: the average where there is one.
    var result: Tensor { average?.weights ?? store.weights }

    /// The tensors of `optimizer.safetensors`.
    var namedMoments: [(name: String, tensor: Tensor)] {
        named(optimizer.firstMoments, prefix: "exp_avg/") + named(optimizer.secondMoments, prefix: "exp_avg_sq/")
            + (average.map { named($0.weights, prefix: "average/") } ?? [])
    }

    /// The tensors of an arena.
    func named(_ arena: Tensor, prefix: String = "") -> [(name: String, tensor: Tensor)] {
        store.entries.map {
            (prefix + $0.name, arena.view(at: $0.offset, $0.shape))
        }
    }

    /// Restores weights, moments and average from a checkpoint of a run.
    func restore(from directory: String) throws {
        let weights = try TensorArchive.open(Files.join(directory, "model.safetensors"))
        let moments = try TensorArchive.open(Files.join(directory, "optimizer.safetensors"))
        try fill(store.weights) { try weights.tensor($0) }
        try fill(optimizer.firstMoments, prefix: "exp_avg/") { try moments.tensor($0) }
        try fill(optimizer.secondMoments, prefix: "exp_avg_sq/") { try moments.tensor($0) }
        if let average { try fill(average.weights, prefix: "average/") { try moments.tensor($0) } }
    }

    private func fill(_ arena: Tensor, prefix: String = "", from tensor: (String) throws -> Tensor) throws {
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
