/// A linear layer's weight as the CPU engine's products read it: packed for speed, or in place.
final class CPULinearWeights: LinearWeights {
    let inputs: Int
    let outputs: Int
    /// The product that they are packed for.
    let kernel: GemmKernel
    /// Of numbers that are int8.
    let scales: ColumnScales?
    /// Packed: the engine's own layout. Else the matrix (M, K) itself, which may change between two products.
    let isPacked: Bool
    let data: Tensor

    init(inputs: Int, outputs: Int, _ kernel: GemmKernel, scales: ColumnScales?, packed storage: Storage) {
        (self.inputs, self.outputs, self.kernel, self.scales) = (inputs, outputs, kernel, scales)
        isPacked = true
        data = Tensor(storage: storage, offset: 0, shape: [storage.byteCount / MemoryLayout<Float>.stride])
    }

    /// Reads `weight` (M, K) where it is.
    init(inPlace weight: Tensor, _ kernel: GemmKernel) {
        (self.kernel, scales) = (kernel, nil)
        outputs = weight.shape[0]
        inputs = weight.shape[1]
        isPacked = false
        data = weight
    }

    /// Beside int8, attention in bfloat16 is accurate enough, and fast where the processor multiplies pairs.
    var activationType: ElementType {
        switch kernel.precision {
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .int8: kernel.instructionSet == .avx512BF16 ? .bfloat16 : .float32
        }
    }

    /// The matrix (M, K) itself.
    var matrix: Tensor {
        precondition(!isPacked, "CPULinearWeights: gradients need a weight that is read in place")
        return data
    }
}

/// What int8 weights of each output are multiplied by, and their sum.
struct ColumnScales: Sendable {
    let scales: Tensor
    let sums: Tensor

    init(count: Int) { (scales, sums) = (Tensor(shape: [count]), Tensor(shape: [count], type: .int32)) }
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
