import Checkpoints
import Compute
import Layers
import Synchronization

/// A checkpoint as the source of a model's parameters.
///
/// Weights are packed one after the other and the pages of the mapped file given back right away, so that the memory in
/// use stays near one copy of the model.
final class CheckpointParameters: ParameterSource, Sendable {
    private let checkpoint: Checkpoint
    /// The names of the tensors handed out, by their place in memory.
    private let names = Mutex<[Place: String]>([:])

    private struct Place: Hashable {
        let storage: ObjectIdentifier
        let offset: Int

        init(_ tensor: Tensor) {
            storage = ObjectIdentifier(tensor.storage)
            offset = tensor.offset
        }
    }

    init(_ checkpoint: Checkpoint) { self.checkpoint = checkpoint }

    func parameter(_ name: String) throws -> Parameter {
        let tensor = try checkpoint.tensor(name)
        names.withLock { $0[Place(tensor)] = name }
        return Parameter(value: tensor)
    }

    func didPack(_ parameter: Parameter) {
        guard let name = names.withLock({ $0.removeValue(forKey: Place(parameter.value)) }) else { return }
        checkpoint.releasePages(of: name)
    }
}
