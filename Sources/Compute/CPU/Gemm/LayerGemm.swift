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

    /// Computes `rowCount` rows of some columns of x · B; `residual` and `y` point to the first of them.
    func run(
        rowCount: Int, columns: Range<Int>, x: UnsafeMutablePointer<Float>,
        residual: UnsafeMutablePointer<Float>? = nil, y: UnsafeMutablePointer<Float>,
        workspace: UnsafeMutablePointer<Float>
    ) {
        unsafe run(
            rowCount: rowCount, columns: columns, x: LeftOperand(x, self), residual: residual, y: y,
            workspace: workspace)
    }

    func run(
        rowCount: Int, columns: Range<Int>, x: LeftOperand, residual: UnsafeMutablePointer<Float>?,
        y: UnsafeMutablePointer<Float>, workspace: UnsafeMutablePointer<Float>
    ) {
        let column = columns.lowerBound
        var operands = unsafe vit_gemm_operands()
        unsafe operands.m = Int64(rowCount)
        unsafe operands.n = Int64(columns.count)
        unsafe operands.k = Int64(b.k)
        unsafe operands.a = UnsafePointer(x.pointer)
        unsafe operands.a_row_stride = Int64(x.strides.0)
        unsafe operands.a_column_stride = Int64(x.strides.1)
        unsafe operands.a_tile_stride = Int64(x.tileStride)
        unsafe operands.a_is_rounded = x.isRounded ? 1 : 0
        unsafe operands.a_scale = UnsafePointer(x.scales)
        unsafe operands.b = b.column(column)
        unsafe operands.b_panel_stride = Int64(b.layout.panelStride)
        unsafe operands.b_row_stride = Int64(b.layout.rowStride)
        unsafe operands.alpha = 1
        unsafe operands.accumulates = accumulates ? 1 : 0
        if let scales = b.scales {
            unsafe operands.b_scale = UnsafePointer(scales.scales.pointer + column)
            unsafe operands.b_sum = UnsafePointer(scales.sums.indices + column)
        }
        unsafe operands.bias = bias.map { unsafe UnsafePointer($0.pointer + column) }
        unsafe operands.column_scale = epilogue.columnScale.map { unsafe UnsafePointer($0.pointer + column) }
        unsafe operands.residual = UnsafePointer(residual)
        unsafe operands.residual_row_stride = Int64(b.n)
        unsafe operands.c = y
        unsafe operands.c_row_stride = Int64(yStride ?? b.n)
        unsafe b.kernel.run(&operands, workspace: workspace)
    }
}

/// The left operand of a layer's product: rows of float32, or of what its precision rounds them to.
@safe
struct LeftOperand {
    private(set) var pointer: UnsafeMutablePointer<Float>
    let k: Int
    /// Distances in floats between rows and between columns.
    let strides: (Int, Int)
    /// Floats from a group of rows to the next.
    var groupStride = 0
    /// Of rounded rows, one each.
    var scales: UnsafeMutablePointer<Float>?
    /// Scales of a group.
    var scaleStride = 0
    var isRounded = false
    /// Rows of a tile, and floats from one to the next, where A is packed in tiles; 0 floats: it is not.
    private var mr = 1
    private(set) var tileStride = 0

    init(
        pointer: UnsafeMutablePointer<Float>, k: Int, strides: (Int, Int), groupStride: Int,
        scales: UnsafeMutablePointer<Float>, scaleStride: Int
    ) {
        unsafe (self.pointer, self.scales) = (pointer, scales)
        (self.k, self.strides, self.groupStride, self.scaleStride) = (k, strides, groupStride, scaleStride)
        isRounded = true
    }

    /// Rows that are rounded and packed in the tiles of `kernel`.
    init(tiles pointer: UnsafeMutablePointer<Float>, k: Int, _ kernel: GemmKernel) {
        unsafe self.pointer = pointer
        (self.k, mr, tileStride) = (k, kernel.mr, kernel.packedTileCount(k: k))
        strides = (1, mr)
        isRounded = true
    }

    /// The layer's rows of float32.
    init(_ pointer: UnsafeMutablePointer<Float>, _ layer: LayerGemm, _ rows: RowGroups? = nil) {
        unsafe self.pointer = pointer
        k = layer.b.k
        strides = layer.xStrides ?? (k, 1)
        groupStride = rows?.xStride ?? 0
    }

    /// The same from a row of a group on.
    func rows(from row: Int, ofGroup group: Int) -> LeftOperand {
        var rows = self
        unsafe rows.pointer += group * groupStride + (tileStride > 0 ? row / mr * tileStride : row * strides.0)
        unsafe rows.scales = scales.map { unsafe $0 + group * scaleStride + row }
        return rows
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
        _ layer: LayerGemm, _ x: UnsafeMutablePointer<Float>, rows: RowGroups, into y: Elements,
        completed: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void = { _, _ in }
    ) {
        let n = layer.b.n
        let tasks = layer.b.kernel.tasks(
            rowCount: rows.groupCount * rows.rowsPerGroup, inGroupsOf: rows.rowsPerGroup, columns: n)
        let columnBlocks = (n + tasks.columns - 1) / tasks.columns
        let rowBlocks = tasks.rows.blockCount
        let yStride = layer.yStride ?? n
        let x = unsafe LeftOperand(x, layer, rows)
        let left = columnBlocks > 1 ? rounded(x, layer.b.kernel, rows) : x
        let isRounded = y.type == .bfloat16
        let workspaceCount = left.isRounded ? 0 : layer.workspaceCount(rowCount: tasks.rows.largest)
        workers.run(rows.groupCount * rowBlocks * columnBlocks) { task, worker in
            let column = task % columnBlocks * tasks.columns
            let columns = column..<min(column + tasks.columns, n)
            let block = tasks.rows[task / columnBlocks % rowBlocks]
            let row = block.lowerBound
            let group = task / (columnBlocks * rowBlocks)
            let target = y + (rows.yOffset + group * rows.yStride + row * yStride + column)
            let count = workspaceCount + (isRounded ? block.count * columns.count : 0)
            let workspace = unsafe scratch(of: worker, floatCount: count)
            var layer = layer
            if isRounded { layer.yStride = columns.count }
            let result = unsafe isRounded ? workspace + workspaceCount : target.floats
            unsafe layer.run(
                rowCount: block.count, columns: columns, x: left.rows(from: row, ofGroup: group),
                residual: layer.epilogue.residual.map {
                    unsafe $0.pointer + group * rows.residualStride + row * n + column
                },
                y: result, workspace: workspace)
            for row in 0..<(isRounded ? block.count : 0) {
                unsafe (target + row * yStride).assign(result + row * columns.count, count: columns.count)
            }
            completed(block, columns)
        }
    }

    /// Rounds all rows of x for the product's precision, which each task would otherwise do for its own columns.
    private func rounded(_ x: LeftOperand, _ kernel: GemmKernel, _ rows: RowGroups) -> LeftOperand {
        let stride = kernel.roundedStride(k: x.k)
        guard stride > 0 else { return x }
        let rowCount = rows.groupCount * rows.rowsPerGroup
        let memory = unsafe roundedRows.floats(rowCount * (stride + 1))
        let scales = unsafe memory + rowCount * stride
        let size = Self.rowsPerTask(rowCount: rows.rowsPerGroup, width: x.k)
        let blockCount = (rows.rowsPerGroup + size - 1) / size
        workers.run(rows.groupCount * blockCount) { task, _ in
            let (group, row) = (task / blockCount, task % blockCount * size)
            let place = group * rows.rowsPerGroup + row
            unsafe kernel.round(
                x.rows(from: row, ofGroup: group).pointer, stride: x.strides.0,
                rowCount: min(size, rows.rowsPerGroup - row), k: x.k, into: memory + place * stride,
                scales: scales + place)
        }
        return unsafe LeftOperand(
            pointer: memory, k: x.k, strides: (stride, 1), groupStride: rows.rowsPerGroup * stride, scales: scales,
            scaleStride: rows.rowsPerGroup)
    }

    /// The left operand of aᵀ · B from a (k, m), whose rows the product sums over: as it is, or rounded in tiles.
    func transposedLeftOperand(
        _ a: UnsafeMutablePointer<Float>, _ product: LayerGemm, m: Int
    ) -> LeftOperand {
        let (kernel, k) = (product.b.kernel, product.b.k)
        let tileStride = kernel.packedTileCount(k: k)
        guard tileStride > 0 else { return unsafe LeftOperand(a, product) }
        let tileCount = (m + kernel.mr - 1) / kernel.mr
        let memory = unsafe roundedRows.floats(tileCount * tileStride)
        // Rows are read in pieces of several lines of the cache.
        forBlocks(of: max(1, 96 / kernel.mr), in: tileCount) { tiles, _ in
            unsafe kernel.packTiles(UnsafePointer(a), columnStride: m, m: m, k: k, tiles: tiles, into: memory)
        }
        return unsafe LeftOperand(tiles: memory, k: k, kernel)
    }
}
