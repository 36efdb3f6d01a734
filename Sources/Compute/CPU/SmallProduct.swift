import CKernels
import COneDNN

/// A product of small matrices, such as those of a head, which one task computes with what it needs beside it.
///
/// The right side is put into the order of the kernel first, where that takes less time than it saves.
@safe
struct SmallProduct {
    private let shape: MatmulShape
    /// What oneDNN compiled; nil: this package's own product.
    private let primitive: Primitive?
    /// How this package's own product reads the right side, where it is used.
    private let layout: RightSide.Layout?
    /// Whether it is packed first.
    private let packs: Bool
    /// Floats from a row of a turned right side to the next; 0: it is read in place.
    private let turnedStride: Int
    private let fillsRows: Bool
    /// Floats of scratch memory that a run needs.
    let workspaceCount: Int

    /// Rows from which on packing narrow panels pays that could be read as they lie.
    private static let rowsWorthPacking = 36
    /// Rows from which on turning the right side pays.
    private static let rowsWorthTurning = 16

    /// A product that may write zeros behind the columns of a row, up to the next one, where it `fillsRows`.
    init(_ shape: MatmulShape, fillsRows: Bool = false, engine: CPUEngine) {
        self.shape = shape
        self.fillsRows = fillsRows
        let strides = shape.bStrides ?? (0, 1)
        let inPlace = engine.panels.flatMap {
            $0.readsLayersInPlace || shape.rows < Self.rowsWorthPacking
                ? $0.inPlace(columns: shape.columns, strides: strides) : nil
        }
        layout = inPlace ?? engine.panels?.packed(inner: shape.inner)
        packs = inPlace == nil
        if let panels = engine.panels {
            primitive = nil
            turnedStride = 0
            workspaceCount =
                (packs ? panels.floatCount(inner: shape.inner, columns: shape.columns) : 0)
                + panels.workspace(rowCount: shape.rows, inner: shape.inner)
        } else if shape.rows >= Self.rowsWorthTurning, strides.0 == 1 {
            turnedStride = (shape.columns + 15) / 16 * 16
            workspaceCount = shape.inner * turnedStride
            var turned = shape
            turned.bStrides = (turnedStride, 1)
            primitive = engine.cache.matmul(turned)
        } else {
            turnedStride = 0
            workspaceCount = 0
            primitive = engine.cache.matmul(shape)
        }
    }

    /// c = scale · a · b.
    func run(
        _ context: OpaquePointer, _ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>,
        into c: UnsafeMutablePointer<Float>, workspace: UnsafeMutablePointer<Float>
    ) {
        guard let primitive else { return unsafe multiplyPanels(a, b, into: c, workspace: workspace) }
        if turnedStride > 0 {
            unsafe vit_transpose(b, shape.columns, shape.inner, shape.bStrides?.1 ?? 0, workspace, turnedStride)
        }
        var arguments = unsafe vit_matmul_arguments()
        unsafe arguments.a = UnsafePointer(a)
        unsafe arguments.b = UnsafeRawPointer(turnedStride > 0 ? workspace : b)
        unsafe arguments.c = c
        check(unsafe vit_matmul_run(primitive.pointer, context, &arguments), "small product")
    }

    private func multiplyPanels(
        _ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>, into c: UnsafeMutablePointer<Float>,
        workspace: UnsafeMutablePointer<Float>
    ) {
        guard case .panels(let panels, let stride, let rowStride)? = layout else { return }
        let panelCount = packs ? (shape.columns + panels.width - 1) / panels.width : 0
        var packing = unsafe vit_packing(
            b: UnsafePointer(b), row_stride: Int64(shape.bStrides?.0 ?? 0),
            column_stride: Int64(shape.bStrides?.1 ?? 1),
            inner: Int64(shape.inner), columns: Int64(shape.columns), width: Int64(panels.width))
        unsafe vit_pack_blocks(&packing, 0, Int64(panelCount), workspace)
        var product = unsafe vit_panel_product()
        unsafe product.rows = Int64(shape.rows)
        unsafe product.inner = Int64(shape.inner)
        // Whole panels are written faster than a part of one; the columns that the last one has too much are zero.
        unsafe product.columns = Int64(
            fillsRows && packs ? min(panelCount * panels.width, shape.cStride) : shape.columns)
        unsafe product.a = UnsafePointer(a)
        unsafe product.a_row_stride = Int64(shape.aStrides.0)
        unsafe product.a_column_stride = Int64(shape.aStrides.1)
        unsafe product.panels = UnsafePointer(packs ? workspace : b)
        unsafe product.panel_stride = Int64(stride)
        unsafe product.panel_row_stride = Int64(rowStride)
        unsafe product.scale = shape.scale
        unsafe product.c = c
        unsafe product.c_row_stride = Int64(shape.cStride)
        unsafe vit_multiply_panels(panels.kind, &product, workspace + panelCount * stride)
    }
}
