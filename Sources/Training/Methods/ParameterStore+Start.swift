import Layers
import Models

extension ParameterStore {
    /// Random weights, as MAE draws them.
    func fill(_ encoder: any ModelConfiguration, seed: UInt64) {
        ParameterInitialization.fill(self, seed: seed)
        let patch = encoder.patchSize
        ParameterInitialization.fillPatchBias(
            self, inputs: encoder.inputChannels * patch.height * patch.width, seed: seed)
    }

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
