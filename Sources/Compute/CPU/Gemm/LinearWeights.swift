/// A linear layer's weight as the CPU engine's products read it: packed for speed, or in place.
final class CPULinearWeights: LinearWeights {
    let inputs: Int
    let outputs: Int
    /// Packed: the engine's own layout. Else the matrix (M, K) itself, which may change between two products.
    let isPacked: Bool
    let data: Tensor

    init(inputs: Int, outputs: Int, packed storage: Storage) {
        self.inputs = inputs
        self.outputs = outputs
        isPacked = true
        data = Tensor(storage: storage, offset: 0, shape: [storage.byteCount / MemoryLayout<Float>.stride])
    }

    /// Reads `weight` (M, K) where it is.
    init(inPlace weight: Tensor) {
        outputs = weight.shape[0]
        inputs = weight.shape[1]
        isPacked = false
        data = weight
    }

    /// The matrix (M, K) itself.
    var matrix: Tensor {
        precondition(!isPacked, "CPULinearWeights: gradients need a weight that is read in place")
        return data
    }
}

extension LinearWeights {
    /// The weights as this engine made them.
    var onCPU: CPULinearWeights {
        guard let weights = self as? CPULinearWeights else {
            preconditionFailure("the weights were made by another engine")
        }
        return weights
    }
}
