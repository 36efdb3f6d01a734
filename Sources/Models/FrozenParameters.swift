import Compute
import Layers

/// The weights of a store without their gradients, or other numbers in the same places, for what is only used.
package struct FrozenParameters: ParameterSource {
    private let store: ParameterStore
    private let weights: Tensor

    /// - Parameter weights: an arena of the same layout, such as an average; left out, the store's own.
    package init(store: ParameterStore, weights: Tensor? = nil) {
        self.store = store
        self.weights = weights ?? store.weights
    }

    package func parameter(_ name: String) throws -> Parameter {
        let entry = try store.entry(name)
        return Parameter(value: weights.view(at: entry.offset, entry.shape))
    }

    package func didPack(_ name: String) {}
}

extension FrozenParameters {
    /// The weights that the training of a model of some shape would begin with, as `ParameterInitialization` draws them:
    /// what a trained encoder is compared with.
    ///
    /// - Parameter hasSinCosPositions: positions are MAE's fixed table, with zero for the tokens before the patches;
    ///   else they are drawn, too.
    package init(
        randomFor configuration: any ModelConfiguration, hasSinCosPositions: Bool, seed: UInt64
    ) throws {
        let store = ParameterStore(configuration.parameterShapes.map { ($0.name, $0.shape) })
        ParameterInitialization.fill(store, seed: seed)
        self.init(store: store)
        let patch = configuration.patchSize
        ParameterInitialization.fillPatchBias(
            store, inputs: configuration.inputChannels * patch.height * patch.width, seed: seed)
        guard hasSinCosPositions else { return }
        let table = SinCosPositions.table(grid: configuration.positionGrid, width: configuration.width)
        let positions = try store.parameter("pos_embed").value
        positions.assign([Float](repeating: 0, count: positions.count - table.count) + table)
    }
}
