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
        precondition(!changes || precision == .float32, "linearWeights: weights that change are float32")
        return changes ? CPULinearWeights(inPlace: weight, kernel) : pack(weight, precision)
    }

    /// A copy of a weight (M, K) in micro-panels.
    func pack(_ weight: Tensor, _ precision: Precision) -> CPULinearWeights {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let kernel = GemmKernel(kernel.instructionSet, precision)
        let packed = CPULinearWeights(
            inputs: inputs, outputs: outputs, kernel, scales: precision == .int8 ? ColumnScales(count: outputs) : nil,
            packed: Storage(byteCount: kernel.packedCount(k: inputs, n: outputs) * MemoryLayout<Float>.stride))
        guard precision != .float32 else {
            unsafe pack(weight.pointer, strides: (1, inputs), k: inputs, n: outputs, into: packed.data.pointer)
            return packed
        }
        workers.run(kernel.panelCount(n: outputs)) { panel, worker in
            unsafe kernel.packRounded(
                UnsafePointer(weight.pointer), k: inputs, n: outputs, panel: panel, into: packed.data.pointer,
                packed.scales, workspace: scratch(of: worker, floatCount: kernel.nr * kernel.wordCount(k: inputs)))
        }
        return packed
    }

    /// A layer's weights as the right operand of x · Wᵀ.
    func rightOperand(_ weights: CPULinearWeights, rowCount: Int, packedIn memory: ScratchMemory? = nil) -> RightOperand
    {
        let (k, n) = (weights.inputs, weights.outputs)
        guard weights.isPacked else {
            return unsafe rightOperand(
                weights.data.pointer, strides: (1, k), k: k, n: n, rowCount: rowCount, packedIn: memory)
        }
        return unsafe RightOperand(
            pointer: UnsafePointer(weights.data.pointer), k: k, n: n, layout: weights.kernel.packedLayout(k: k),
            kernel: weights.kernel, scales: weights.scales)
    }

    /// A matrix that changes between two products of `rowCount` rows: read in place where possible, else packed for this one.
    func rightOperand(
        _ b: UnsafeMutablePointer<Float>, strides: (Int, Int), k: Int, n: Int, rowCount: Int,
        packedIn memory: ScratchMemory? = nil
    ) -> RightOperand {
        if let layout = kernel.inPlaceLayout(n: n, strides: strides, rowCount: rowCount) {
            return unsafe RightOperand(pointer: UnsafePointer(b), k: k, n: n, layout: layout, kernel: kernel)
        }
        let packed = unsafe (memory ?? packedOperand).floats(kernel.packedCount(k: k, n: n))
        unsafe pack(b, strides: strides, k: k, n: n, into: packed)
        return unsafe RightOperand(
            pointer: UnsafePointer(packed), k: k, n: n, layout: kernel.packedLayout(k: k), kernel: kernel)
    }

    /// Packs a matrix (k, n) on all threads.
    private func pack(
        _ b: UnsafeMutablePointer<Float>, strides: (Int, Int), k: Int, n: Int, into packed: UnsafeMutablePointer<Float>
    ) {
        // Contiguous rows are read in pieces of several lines of the cache.
        let size = strides.1 == 1 ? max(1, 64 / kernel.nr) : 1
        forBlocks(of: size, in: kernel.panelCount(n: n)) { panels, _ in
            unsafe kernel.pack(UnsafePointer(b), strides: strides, k: k, n: n, panels: panels, into: packed)
        }
    }
}
