import CKernels

extension CPUEngine {
    /// Columns of a bias's or of positions' gradient that one task sums up.
    static let columnsPerTask = 256

    package func linearWeightGradient(_ dy: Tensor, x: Tensor, dWeight: Tensor, dBias: Tensor?) {
        let (outputs, inputs) = (dWeight.shape[0], dWeight.shape[1])
        let rowCount = dy.count / outputs
        precondition(
            dy.count == rowCount * outputs && x.count == rowCount * inputs
                && dBias.map { $0.count == outputs } ?? true,
            "linearWeightGradient: \(inputs) → \(outputs) got dy \(dy.shape), x \(x.shape)")
        addProduct(dy, gradientSide(x, rowCount: rowCount, inputs: inputs, outputs: outputs), to: dWeight)
        if let dBias { biasGradient(dy, rowCount: rowCount, dBias: dBias) }
    }

    /// x (rows, inputs) as the right side of a product with `outputs` rows.
    private func gradientSide(_ x: Tensor, rowCount: Int, inputs: Int, outputs: Int) -> RightSide {
        if let panels, panels.readsLayersInPlace, let layout = panels.inPlace(columns: inputs, strides: (inputs, 1)) {
            return unsafe RightSide(
                pointer: UnsafeRawPointer(x.pointer), inner: rowCount, columns: inputs, layout: layout)
        }
        return unsafe rightSide(
            x.pointer, strides: (inputs, 1), inner: rowCount, columns: inputs, rowCount: outputs)
    }

    /// dWeight += dyᵀ · x; where oneDNN packed x, each task turns the columns of dy that are its own into rows.
    private func addProduct(_ dy: Tensor, _ x: RightSide, to dWeight: Tensor) {
        let (outputs, rowCount) = (dWeight.shape[0], x.inner)
        let isTurned = x.layout == .packed
        let product = LayerProduct(side: x, accumulates: true, xStrides: isTurned ? nil : (1, outputs))
        let size =
            isTurned
            ? (outputs: Self.rowsPerTask(rowCount: outputs), inputs: x.columns)
            : Self.gradientTile(outputs: outputs, inputs: x.columns)
        let columnBlocks = (x.columns + size.inputs - 1) / size.inputs
        let workspaceCount = isTurned ? size.outputs * rowCount : product.workspaceCount(rowCount: size.outputs)
        unsafe workers.run((outputs + size.outputs - 1) / size.outputs * columnBlocks) { task, context, worker in
            let (row, column) = (task / columnBlocks * size.outputs, task % columnBlocks * size.inputs)
            let count = min(size.outputs, outputs - row)
            let workspace = unsafe workers.scratch(of: worker, floatCount: workspaceCount)
            var left = unsafe dy.pointer + row
            if isTurned {
                unsafe vit_transpose(left, rowCount, count, outputs, workspace, rowCount)
                unsafe left = workspace
            }
            unsafe product.run(
                rowCount: count, columns: column..<min(column + size.inputs, x.columns), cache: cache, context,
                workspace: workspace,
                x: left, y: dWeight.pointer + row * x.columns + column)
        }
    }

    private func biasGradient(_ dy: Tensor, rowCount: Int, dBias: Tensor) {
        let outputs = dBias.count
        unsafe forBlocks(of: Self.columnsPerTask, in: outputs) { columns, _, _ in
            unsafe vit_add_column_sums(
                dy.pointer + columns.lowerBound, rowCount, columns.count, outputs, dBias.pointer + columns.lowerBound)
        }
    }
}
