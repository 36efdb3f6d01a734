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
    /// How this package's own product reads the right side.
    private let layout: RightSide.Layout
    /// Whether it is packed first.
    private let packs: Bool
    /// Floats from a row of a turned right side to the next; 0: it is read in place.
    private let turnedStride: Int
    /// Floats of scratch memory that a run needs.
    let roomCount: Int

    /// Rows from which on turning the right side pays.
    private static let rowsWorthTurning = 16

    init(_ shape: MatmulShape, engine: OneDNNEngine) {
        self.shape = shape
        let strides = shape.bStrides ?? (0, 1)
        let inPlace = Panels.inPlace(columns: shape.columns, strides: strides)
        layout = inPlace ?? Panels.packed(inner: shape.inner)
        packs = inPlace == nil
        if engine.hasPanels {
            primitive = nil
            turnedStride = 0
            roomCount =
                (packs ? Panels.floatCount(inner: shape.inner, columns: shape.columns) : 0)
                + Int(vit_panel_room(Int64(shape.rows), Int64(shape.inner)))
        } else if shape.rows >= Self.rowsWorthTurning, strides.0 == 1 {
            turnedStride = (shape.columns + 15) / 16 * 16
            roomCount = shape.inner * turnedStride
            var turned = shape
            turned.bStrides = (turnedStride, 1)
            primitive = engine.cache.matmul(turned)
        } else {
            turnedStride = 0
            roomCount = 0
            primitive = engine.cache.matmul(shape)
        }
    }

    /// c = scale · a · b.
    func run(
        _ context: OpaquePointer, _ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>,
        into c: UnsafeMutablePointer<Float>, room: UnsafeMutablePointer<Float>
    ) {
        guard let primitive else { return unsafe multiplyPanels(a, b, into: c, room: room) }
        if turnedStride > 0 {
            unsafe vit_transpose(b, shape.columns, shape.inner, shape.bStrides?.1 ?? 0, room, turnedStride)
        }
        var arguments = unsafe vit_matmul_arguments()
        unsafe arguments.a = UnsafePointer(a)
        unsafe arguments.b = UnsafeRawPointer(turnedStride > 0 ? room : b)
        unsafe arguments.c = c
        check(unsafe vit_matmul_run(primitive.pointer, context, &arguments), "small product")
    }

    private func multiplyPanels(
        _ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>, into c: UnsafeMutablePointer<Float>,
        room: UnsafeMutablePointer<Float>
    ) {
        guard case .panels(let stride, let rowStride) = layout else { return }
        let panelCount = packs ? (shape.columns + Panels.width - 1) / Panels.width : 0
        for panel in 0..<panelCount {
            unsafe vit_pack_block(
                b, Int64(shape.bStrides?.0 ?? 0), Int64(shape.bStrides?.1 ?? 1), Int64(shape.inner),
                Int64(shape.columns), Int64(Panels.width), Int64(panel), room)
        }
        var product = unsafe vit_panel_product()
        unsafe product.rows = Int64(shape.rows)
        unsafe product.inner = Int64(shape.inner)
        unsafe product.columns = Int64(shape.columns)
        unsafe product.a = UnsafePointer(a)
        unsafe product.a_row_stride = Int64(shape.aStrides.0)
        unsafe product.a_column_stride = Int64(shape.aStrides.1)
        unsafe product.panels = UnsafePointer(packs ? room : b)
        unsafe product.panel_stride = Int64(stride)
        unsafe product.panel_row_stride = Int64(rowStride)
        unsafe product.scale = shape.scale
        unsafe product.c = c
        unsafe product.c_row_stride = Int64(shape.cStride)
        unsafe vit_multiply_panels(&product, room + panelCount * stride)
    }
}
