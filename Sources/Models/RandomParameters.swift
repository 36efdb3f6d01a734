import Compute
import Layers

/// The weights that the training of a model of some shape would begin with: what a trained encoder is compared with.
package struct RandomParameters: ParameterSource {
    private let store: ParameterStore

    /// Weights as `ParameterInitialization` draws them.
    ///
    /// - Parameter hasSinCosPositions: positions are MAE's fixed table, with zero for the tokens before the patches;
    ///   else they are drawn, too.
    package init(_ configuration: ViTConfiguration, hasSinCosPositions: Bool, seed: UInt64) throws {
        store = ParameterStore(configuration.parameterShapes.map { ($0.name, $0.shape) })
        ParameterInitialization.fill(store, seed: seed)
        let patch = configuration.patchSize
        ParameterInitialization.fillPatchBias(
            store, inputs: configuration.inputChannels * patch.height * patch.width, seed: seed)
        guard hasSinCosPositions else { return }
        let table = SinCosPositions.table(grid: configuration.positionGrid, width: configuration.width)
        let positions = try store.parameter("pos_embed").value
        positions.assign([Float](repeating: 0, count: positions.count - table.count) + table)
    }

    package func parameter(_ name: String) throws -> Parameter { Parameter(value: try store.parameter(name).value) }

    package func didPack(_ name: String) {}
}
