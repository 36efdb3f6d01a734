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

    /// Some rows and columns of a product, and what oneDNN compiled for them; this package's own product needs nothing.
    struct Block {
        let rowCount: Int
        let columnCount: Int
        let primitive: Primitive?
    }

    func block(rowCount: Int, columnCount: Int, cache: PrimitiveCache) -> Block {
        Block(
            rowCount: rowCount, columnCount: columnCount,
            primitive: side.isPanels
                ? nil : cache.product(shape(rowCount: rowCount, columnCount: columnCount)))
    }

    /// Floats of scratch memory that blocks of at most so many rows need.
    func roomCount(rowCount: Int) -> Int {
        side.isPanels ? Int(vit_panel_room(Int64(rowCount), Int64(side.inner))) : 0
    }

    /// Computes rows of the columns from `column` on; `residual` and `y` point to the first of them.
    func run(
        _ block: Block, _ context: OpaquePointer, room: UnsafeMutablePointer<Float>, x: UnsafeMutablePointer<Float>,
        residual: UnsafeMutablePointer<Float>?, y: UnsafeMutablePointer<Float>, column: Int = 0
    ) {
        if let primitive = block.primitive {
            var arguments = unsafe vit_matmul_arguments()
            unsafe arguments.a = UnsafePointer(x)
            unsafe arguments.b = side.column(column)
            unsafe arguments.bias = bias.map { unsafe UnsafePointer($0.pointer + column) }
            unsafe arguments.column_scale = epilogue.columnScale.map { unsafe UnsafePointer($0.pointer + column) }
            unsafe arguments.residual = UnsafePointer(residual)
            unsafe arguments.c = y
            return check(unsafe vit_matmul_run(primitive.pointer, context, &arguments), "linear")
        }
        guard case .panels(let stride, let rowStride) = side.layout else { return }
        var product = unsafe vit_panel_product()
        unsafe product.rows = Int64(block.rowCount)
        unsafe product.inner = Int64(side.inner)
        unsafe product.columns = Int64(block.columnCount)
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
        unsafe product.c_row_stride = Int64(side.columns)
        unsafe vit_multiply_panels(&product, room)
    }

    private func shape(rowCount: Int, columnCount: Int) -> MatmulShape {
        var shape = MatmulShape(
            rows: rowCount, inner: side.inner, columns: columnCount, aStrides: xStrides ?? (side.inner, 1),
            bStrides: side.strides, cStride: side.columns)
        shape.residualStride = epilogue.residual == nil ? nil : side.columns
        shape.hasBias = bias != nil
        shape.hasColumnScale = epilogue.columnScale != nil
        shape.accumulates = accumulates
        return shape
    }
}
