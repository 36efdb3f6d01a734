import CKernels
import COneDNN

extension OneDNNEngine: TrainingEngine {
    /// The part of a weight's gradient, outputs × inputs, that one task sums up.
    private static let gradientTile = (outputs: 64, inputs: 768)
    /// Columns of a bias's or of positions' gradient that one task sums up.
    static let columnsPerTask = 256

    package func linearWeightGradient(_ dy: Tensor, x: Tensor, dWeight: Tensor, dBias: Tensor?) {
        let (outputs, inputs) = (dWeight.shape[0], dWeight.shape[1])
        let rowCount = dy.count / outputs
        precondition(
            dy.count == rowCount * outputs && x.count == rowCount * inputs
                && dBias.map { $0.count == outputs } ?? true,
            "linearWeightGradient: \(inputs) → \(outputs) got dy \(dy.shape), x \(x.shape)")
        let side = gradientSide(x, rowCount: rowCount, inputs: inputs, outputs: outputs)
        if side.strides == nil {
            addPackedProduct(dy, side, to: dWeight)
        } else {
            addPlainProduct(dy, side, to: dWeight)
        }
        if let dBias { biasGradient(dy, rowCount: rowCount, dBias: dBias) }
    }

    /// x (rows, inputs) as the right side of a product with `outputs` rows.
    private func gradientSide(_ x: Tensor, rowCount: Int, inputs: Int, outputs: Int) -> RightSide {
        if hasPanels, let layout = Panels.inPlace(columns: inputs, strides: (inputs, 1)) {
            return unsafe RightSide(
                pointer: UnsafeRawPointer(x.pointer), inner: rowCount, columns: inputs, layout: layout)
        }
        return unsafe rightSide(
            x.pointer, strides: (inputs, 1), inner: rowCount, columns: inputs, rowCount: outputs)
    }

    /// dWeight += dyᵀ · x; for oneDNN, each task turns the columns of dy that are its own into rows.
    private func addPackedProduct(_ dy: Tensor, _ x: RightSide, to dWeight: Tensor) {
        let (outputs, rowCount) = (dWeight.shape[0], x.inner)
        let isTurned = x.layout == .packed
        var product = LayerProduct(side: x, accumulates: true)
        if !isTurned { product.xStrides = (1, outputs) }
        let size = x.taskSize(rowCount: max(outputs, rowCount), inGroupsOf: outputs).rows
        let roomCount = isTurned ? size * rowCount : product.roomCount(rowCount: size)
        unsafe forBlocks(of: size, in: outputs) { rows, context, worker in
            let room = unsafe workers.scratch(of: worker, floatCount: roomCount)
            var left = unsafe dy.pointer + rows.lowerBound
            if isTurned {
                unsafe vit_transpose(left, rowCount, rows.count, outputs, room, rowCount)
                unsafe left = room
            }
            unsafe product.run(
                rowCount: rows.count, columns: 0..<x.columns, cache: cache, context, room: room, x: left,
                y: dWeight.pointer + rows.lowerBound * x.columns)
        }
    }

    /// The same where x is read in place.
    private func addPlainProduct(_ dy: Tensor, _ x: RightSide, to dWeight: Tensor) {
        let (outputs, inputs) = (dWeight.shape[0], x.columns)
        let tile = Self.gradientTile
        let columnTiles = (inputs + tile.inputs - 1) / tile.inputs
        let rowTiles = (outputs + tile.outputs - 1) / tile.outputs
        func primitive(_ rows: Int, _ columns: Int) -> Primitive {
            var shape = MatmulShape(
                rows: rows, inner: x.inner, columns: columns, aStrides: (1, outputs), bStrides: (inputs, 1),
                cStride: inputs)
            shape.accumulates = true
            return cache.matmul(shape)
        }
        unsafe workers.run(rowTiles * columnTiles) { task, context, _ in
            let (row, column) = (task / columnTiles * tile.outputs, task % columnTiles * tile.inputs)
            let matmul = primitive(min(tile.outputs, outputs - row), min(tile.inputs, inputs - column))
            var arguments = unsafe vit_matmul_arguments()
            unsafe arguments.a = UnsafePointer(dy.pointer + row)
            unsafe arguments.b = x.column(column)
            unsafe arguments.c = dWeight.pointer + row * inputs + column
            check(unsafe vit_matmul_run(matmul.pointer, context, &arguments), "linearBackward dWeight")
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
