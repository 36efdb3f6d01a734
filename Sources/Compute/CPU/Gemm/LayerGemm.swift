import CKernels

/// A product of rows with a layer's weights, y = epilogue(x · B + bias), which tasks compute in blocks.
struct LayerGemm {
    let b: RightOperand
    var bias: Tensor?
    var epilogue = LinearEpilogue()
    /// Whether the product is added to y.
    var accumulates = false
    /// Distances in floats between the rows of x and between its columns; nil: rows of k contiguous floats.
    var xStrides: (Int, Int)?
    /// Floats between the rows of y; nil: n.
    var yStride: Int?

    /// Floats of workspace that blocks of at most so many rows need.
    func workspaceCount(rowCount: Int) -> Int { b.kernel.workspaceCount(rowCount: rowCount, k: b.k) }

    /// Computes `rowCount` rows of some columns; `residual` and `y` point to the first of them.
    func run(
        rowCount: Int, columns: Range<Int>, x: UnsafeMutablePointer<Float>,
        residual: UnsafeMutablePointer<Float>? = nil, y: UnsafeMutablePointer<Float>,
        workspace: UnsafeMutablePointer<Float>
    ) {
        let column = columns.lowerBound
        var operands = unsafe vit_gemm_operands()
        unsafe operands.m = Int64(rowCount)
        unsafe operands.n = Int64(columns.count)
        unsafe operands.k = Int64(b.k)
        unsafe operands.a = UnsafePointer(x)
        unsafe operands.a_row_stride = Int64(xStrides?.0 ?? b.k)
        unsafe operands.a_column_stride = Int64(xStrides?.1 ?? 1)
        unsafe operands.b = b.column(column)
        unsafe operands.b_panel_stride = Int64(b.layout.panelStride)
        unsafe operands.b_row_stride = Int64(b.layout.rowStride)
        unsafe operands.alpha = 1
        unsafe operands.accumulates = accumulates ? 1 : 0
        unsafe operands.bias = bias.map { unsafe UnsafePointer($0.pointer + column) }
        unsafe operands.column_scale = epilogue.columnScale.map { unsafe UnsafePointer($0.pointer + column) }
        unsafe operands.residual = UnsafePointer(residual)
        unsafe operands.residual_row_stride = Int64(b.n)
        unsafe operands.c = y
        unsafe operands.c_row_stride = Int64(yStride ?? b.n)
        unsafe b.kernel.run(&operands, workspace: workspace)
    }
}

/// Equal groups of rows (one an image) and how far apart, in floats, they lie in each operand.
struct RowGroups {
    var groupCount = 1
    var rowsPerGroup: Int
    var xStride = 0
    var yStride = 0
    var residualStride = 0
    var yOffset = 0
}

extension CPUEngine {
    /// y = the layer's product with all rows of x; `completed` is called for each task's rows and columns, all in one group.
    func multiply(
        _ layer: LayerGemm, _ x: UnsafeMutablePointer<Float>, rows: RowGroups, into y: UnsafeMutablePointer<Float>,
        completed: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void = { _, _ in }
    ) {
        let n = layer.b.n
        let tasks = kernel.tasks(
            rowCount: rows.groupCount * rows.rowsPerGroup, inGroupsOf: rows.rowsPerGroup, columns: n)
        let columnBlocks = (n + tasks.columns - 1) / tasks.columns
        let rowBlocks = tasks.rows.blockCount
        let workspaceCount = layer.workspaceCount(rowCount: tasks.rows.largest)
        let (xStride, yStride) = (layer.xStrides?.0 ?? layer.b.k, layer.yStride ?? n)
        workers.run(rows.groupCount * rowBlocks * columnBlocks) { task, worker in
            let column = task % columnBlocks * tasks.columns
            let columns = column..<min(column + tasks.columns, n)
            let block = tasks.rows[task / columnBlocks % rowBlocks]
            let row = block.lowerBound
            let group = task / (columnBlocks * rowBlocks)
            unsafe layer.run(
                rowCount: block.count, columns: columns, x: x + group * rows.xStride + row * xStride,
                residual: layer.epilogue.residual.map {
                    unsafe $0.pointer + group * rows.residualStride + row * n + column
                },
                y: y + rows.yOffset + group * rows.yStride + row * yStride + column,
                workspace: scratch(of: worker, floatCount: workspaceCount))
            completed(block, columns)
        }
    }
}
