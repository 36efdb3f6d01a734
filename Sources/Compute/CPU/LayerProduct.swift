import CKernels
import COneDNN

/// A product of rows with a layer's weights, y = epilogue(x · B + bias), which is computed in blocks.
struct LayerProduct {
    let side: RightSide
    var bias: Tensor?
    var epilogue = LinearEpilogue()
    /// Whether what y holds is added.
    var accumulates = false
    /// Distances in floats between the rows of x and between its columns; nil: rows as long as B has them.
    var xStrides: (Int, Int)?
    /// Floats between the rows of y; nil: as many as B has columns.
    var yStride: Int?

    /// Floats of scratch memory that blocks of at most so many rows need.
    func workspaceCount(rowCount: Int) -> Int {
        side.panels?.workspace(rowCount: rowCount, inner: side.inner) ?? 0
    }

    /// Computes `rowCount` rows of some columns, to the first of which `residual` and `y` point.
    func run(
        rowCount: Int, columns: Range<Int>, cache: PrimitiveCache, _ context: OpaquePointer,
        workspace: UnsafeMutablePointer<Float>, x: UnsafeMutablePointer<Float>,
        residual: UnsafeMutablePointer<Float>? = nil,
        y: UnsafeMutablePointer<Float>
    ) {
        let column = columns.lowerBound
        guard case .panels(let panels, let stride, let rowStride) = side.layout else {
            return unsafe runOneDNN(
                cache.product(shape(rowCount: rowCount, columnCount: columns.count)), context, x: x, residual: residual,
                y: y, column: column)
        }
        var product = unsafe vit_panel_product()
        unsafe product.rows = Int64(rowCount)
        unsafe product.inner = Int64(side.inner)
        unsafe product.columns = Int64(columns.count)
        unsafe product.a = UnsafePointer(x)
        unsafe product.a_row_stride = Int64(xStrides?.0 ?? side.inner)
        unsafe product.a_column_stride = Int64(xStrides?.1 ?? 1)
        unsafe product.panels = side.column(column).assumingMemoryBound(to: Float.self)
        unsafe product.panel_stride = Int64(stride)
        unsafe product.panel_row_stride = Int64(rowStride)
        unsafe product.scale = 1
        unsafe product.accumulates = accumulates ? 1 : 0
        unsafe product.bias = bias.map { unsafe UnsafePointer($0.pointer + column) }
        unsafe product.column_scale = epilogue.columnScale.map { unsafe UnsafePointer($0.pointer + column) }
        unsafe product.residual = UnsafePointer(residual)
        unsafe product.residual_row_stride = Int64(side.columns)
        unsafe product.c = y
        unsafe product.c_row_stride = Int64(yStride ?? side.columns)
        unsafe vit_multiply_panels(panels.kind, &product, workspace)
    }

    private func runOneDNN(
        _ primitive: Primitive, _ context: OpaquePointer, x: UnsafeMutablePointer<Float>,
        residual: UnsafeMutablePointer<Float>?, y: UnsafeMutablePointer<Float>, column: Int
    ) {
        var arguments = unsafe vit_matmul_arguments()
        unsafe arguments.a = UnsafePointer(x)
        unsafe arguments.b = side.column(column)
        unsafe arguments.bias = bias.map { unsafe UnsafePointer($0.pointer + column) }
        unsafe arguments.column_scale = epilogue.columnScale.map { unsafe UnsafePointer($0.pointer + column) }
        unsafe arguments.residual = UnsafePointer(residual)
        unsafe arguments.c = y
        check(unsafe vit_matmul_run(primitive.pointer, context, &arguments), "linear")
    }

    private func shape(rowCount: Int, columnCount: Int) -> MatmulShape {
        var shape = MatmulShape(
            rows: rowCount, inner: side.inner, columns: columnCount, aStrides: xStrides ?? (side.inner, 1),
            bStrides: side.strides, cStride: yStride ?? side.columns)
        shape.residualStride = epilogue.residual == nil ? nil : side.columns
        shape.hasBias = bias != nil
        shape.hasColumnScale = epilogue.columnScale != nil
        shape.accumulates = accumulates
        return shape
    }
}
