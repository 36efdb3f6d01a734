/// The right operand B (k, n) of a matrix product, in micro-panels: packed, or as they lie in a matrix.
@safe
struct RightOperand {
    let pointer: UnsafePointer<Float>
    let k: Int
    let n: Int
    let layout: PanelLayout
    let kernel: GemmKernel
    /// Of numbers that are int8.
    var scales: ColumnScales?

    /// Where column `column` begins, the first of a micro-panel.
    func column(_ column: Int) -> UnsafePointer<Float> { unsafe pointer + column / kernel.nr * layout.panelStride }

    /// Blocks of rows that go through two layers before the next ones do.
    func rowBlocks(rowCount: Int) -> RowBlocks { kernel.rowBlocks(rowCount: rowCount, longest: 60) }
}

extension CPUEngine {
    package func linearWeights(_ weight: Tensor, precision: Precision, changes: Bool) -> any LinearWeights {
        precondition(
            weight.shape.count == 2, "linearWeights: expected a weight (outputs, inputs), got \(weight.shape)")
        precondition(!changes || precision != .int8, "linearWeights: weights that change are not int8")
        let kernel = GemmKernel(kernel.instructionSet, precision)
        return changes ? CPULinearWeights(inPlace: weight, kernel) : pack(weight, kernel)
    }

    /// A copy of a weight (M, K) in micro-panels.
    func pack(_ weight: Tensor, _ kernel: GemmKernel) -> CPULinearWeights {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let packed = CPULinearWeights(
            inputs: inputs, outputs: outputs, kernel,
            scales: kernel.precision == .int8 ? ColumnScales(count: outputs) : nil,
            packed: Storage(byteCount: kernel.packedCount(k: inputs, n: outputs) * MemoryLayout<Float>.stride))
        unsafe pack(
            weight.pointer, strides: (1, inputs), k: inputs, n: outputs, kernel, into: packed.data.pointer,
            packed.scales)
        return packed
    }

    /// A layer's weights as the right operand of x · Wᵀ.
    func rightOperand(_ weights: CPULinearWeights, rowCount: Int, packedIn memory: ScratchMemory? = nil) -> RightOperand
    {
        let (k, n) = (weights.inputs, weights.outputs)
        guard weights.isPacked else {
            return unsafe rightOperand(
                weights.data.pointer, strides: (1, k), k: k, n: n, rowCount: rowCount, weights.kernel, packedIn: memory)
        }
        return unsafe RightOperand(
            pointer: UnsafePointer(weights.data.pointer), k: k, n: n, layout: weights.kernel.packedLayout(k: k),
            kernel: weights.kernel, scales: weights.scales)
    }

    /// A matrix that changes between two products of `rowCount` rows: read in place where possible, else packed for this one.
    func rightOperand(
        _ b: UnsafeMutablePointer<Float>, strides: (Int, Int), k: Int, n: Int, rowCount: Int, _ kernel: GemmKernel,
        packedIn memory: ScratchMemory? = nil
    ) -> RightOperand {
        if kernel.precision == .float32, let layout = kernel.inPlaceLayout(n: n, strides: strides, rowCount: rowCount) {
            return unsafe RightOperand(pointer: UnsafePointer(b), k: k, n: n, layout: layout, kernel: kernel)
        }
        let packed = unsafe (memory ?? packedOperand).floats(kernel.packedCount(k: k, n: n))
        unsafe pack(b, strides: strides, k: k, n: n, kernel, into: packed, nil)
        return unsafe RightOperand(
            pointer: UnsafePointer(packed), k: k, n: n, layout: kernel.packedLayout(k: k), kernel: kernel)
    }

    /// Packs a matrix (k, n) on all threads, rounded to the precision of `kernel`.
    private func pack(
        _ b: UnsafeMutablePointer<Float>, strides: (Int, Int), k: Int, n: Int, _ kernel: GemmKernel,
        into packed: UnsafeMutablePointer<Float>, _ scales: ColumnScales?
    ) {
        let isAcross = strides.1 == 1
        // Contiguous rows are read in pieces of several lines of the cache.
        let size = isAcross ? max(1, 64 / kernel.nr) : 1
        forBlocks(of: size, in: kernel.panelCount(n: n)) { panels, worker in
            if kernel.precision == .float32 {
                unsafe kernel.pack(UnsafePointer(b), strides: strides, k: k, n: n, panels: panels, into: packed)
            } else if isAcross {
                unsafe kernel.packRows(UnsafePointer(b), stride: strides.0, k: k, n: n, panels: panels, into: packed)
            } else {
                unsafe kernel.packRounded(
                    UnsafePointer(b), k: k, n: n, panel: panels.lowerBound, into: packed, scales,
                    workspace: scratch(of: worker, floatCount: kernel.nr * kernel.wordCount(k: k)))
            }
        }
    }
}
