import CKernels
import COneDNN

extension OneDNNEngine: TrainingEngine {
    /// The part of a weight's gradient, outputs × inputs, that one task sums up.
    private static let gradientTile = (outputs: 96, inputs: 768)
    /// Columns of a bias's or of positions' gradient that one task sums up.
    static let columnsPerTask = 256

    package func linearInputGradient(_ dy: Tensor, weight: Tensor, dx: Tensor) {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let rowCount = dy.count / outputs
        precondition(
            dy.count == rowCount * outputs && dx.count == rowCount * inputs,
            "linearInputGradient: \(inputs) → \(outputs) got dy \(dy.shape), dx \(dx.shape)")
        func primitive(rowCount: Int) -> Primitive {
            cache.matmul(
                MatmulShape(
                    rows: rowCount, inner: outputs, columns: inputs, aStrides: (outputs, 1), bStrides: (inputs, 1),
                    cStride: inputs))
        }
        let size = Self.rowsPerTask
        let whole = primitive(rowCount: min(size, rowCount))
        let rest = rowCount % size == 0 ? whole : primitive(rowCount: rowCount % size)
        unsafe forBlocks(of: size, in: rowCount) { rows, context, _ in
            var arguments = unsafe vit_matmul_arguments()
            unsafe arguments.a = UnsafePointer(dy.pointer + rows.lowerBound * outputs)
            unsafe arguments.b = UnsafeRawPointer(weight.pointer)
            unsafe arguments.c = dx.pointer + rows.lowerBound * inputs
            let status = unsafe vit_matmul_run((rows.count == size ? whole : rest).pointer, context, &arguments)
            check(status, "linearBackward dx")
        }
    }

    package func linearWeightGradient(_ dy: Tensor, x: Tensor, dWeight: Tensor, dBias: Tensor?) {
        let (outputs, inputs) = (dWeight.shape[0], dWeight.shape[1])
        let rowCount = dy.count / outputs
        precondition(
            dy.count == rowCount * outputs && x.count == rowCount * inputs
                && dBias.map { $0.count == outputs } ?? true,
            "linearWeightGradient: \(inputs) → \(outputs) got dy \(dy.shape), x \(x.shape)")
        let tile = Self.gradientTile
        let columnTiles = (inputs + tile.inputs - 1) / tile.inputs
        let rowTiles = (outputs + tile.outputs - 1) / tile.outputs
        func primitive(_ rows: Int, _ columns: Int) -> Primitive {
            var shape = MatmulShape(
                rows: rows, inner: rowCount, columns: columns, aStrides: (1, outputs), bStrides: (inputs, 1),
                cStride: inputs)
            shape.accumulates = true
            return cache.matmul(shape)
        }
        unsafe workers.run(rowTiles * columnTiles) { task, context, _ in
            let (row, column) = (task / columnTiles * tile.outputs, task % columnTiles * tile.inputs)
            let matmul = primitive(min(tile.outputs, outputs - row), min(tile.inputs, inputs - column))
            var arguments = unsafe vit_matmul_arguments()
            unsafe arguments.a = UnsafePointer(dy.pointer + row)
            unsafe arguments.b = UnsafeRawPointer(x.pointer + column)
            unsafe arguments.c = dWeight.pointer + row * inputs + column
            check(unsafe vit_matmul_run(matmul.pointer, context, &arguments), "linearBackward dWeight")
        }
        if let dBias { biasGradient(dy, rowCount: rowCount, dBias: dBias) }
    }

    private func biasGradient(_ dy: Tensor, rowCount: Int, dBias: Tensor) {
        let outputs = dBias.count
        unsafe forBlocks(of: Self.columnsPerTask, in: outputs) { columns, _, _ in
            unsafe vit_add_column_sums(
                dy.pointer + columns.lowerBound, rowCount, columns.count, outputs, dBias.pointer + columns.lowerBound)
        }
    }
}
