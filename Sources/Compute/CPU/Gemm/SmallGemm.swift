import CKernels

/// A product C (m, n) = alpha · A (m, k) · B (k, n) of small matrices, such as those of a head, which one task computes alone.
///
/// Strides are distances in numbers between rows and between columns; one of each pair is 1. A and B are float32 or, where the
/// kernel rounds them anyway, bfloat16.
struct SmallGemm {
    let kernel: GemmKernel
    let m: Int
    let n: Int
    let k: Int
    let aStrides: (Int, Int)
    let bStrides: (Int, Int)
    let cStride: Int
    var alpha: Float = 1
    /// Whether the product is added to C.
    var accumulates = false
    /// Whether zeros may be written behind the n columns of a row of C, up to the next row.
    var fillsRows = false

    private var isRounded: Bool { kernel.precision != .float32 }
    private var inPlaceLayout: PanelLayout? {
        isRounded ? nil : kernel.inPlaceLayout(n: n, strides: bStrides, rowCount: m)
    }
    private var packedCount: Int { inPlaceLayout == nil ? kernel.packedCount(k: k, n: n) : 0 }
    /// Floats of workspace that a run needs.
    var workspaceCount: Int {
        // While B is packed, its rounded columns lie where A follows.
        packedCount
            + (isRounded ? max(roundedLeftCount, n * kernel.wordCount(k: k)) : kernel.workspaceCount(rowCount: m, k: k))
    }

    func run(_ a: Elements, _ b: Elements, into c: UnsafeMutablePointer<Float>, workspace: UnsafeMutablePointer<Float>)
    {
        let inPlace = inPlaceLayout
        let layout = inPlace ?? kernel.packedLayout(k: k)
        let panelCount = inPlace == nil ? kernel.panelCount(n: n) : 0
        let rest = unsafe workspace + packedCount
        if isRounded {
            unsafe packRounded(b, into: workspace, rest)
        } else {
            unsafe kernel.pack(b.floats, strides: bStrides, k: k, n: n, panels: 0..<panelCount, into: workspace)
        }
        var operands = unsafe vit_gemm_operands()
        unsafe operands.m = Int64(m)
        // Whole micro-panels are written faster than a part of one; the columns that the last one lacks are zero.
        unsafe operands.n = Int64(fillsRows && inPlace == nil ? min(panelCount * kernel.nr, cStride) : n)
        unsafe operands.k = Int64(k)
        unsafe operands.a = UnsafePointer(a.floats)
        unsafe operands.a_row_stride = Int64(aStrides.0)
        unsafe operands.a_column_stride = Int64(aStrides.1)
        if isRounded { unsafe round(a, &operands, workspace: rest) }
        unsafe operands.b = UnsafePointer(inPlace == nil ? workspace : b.floats)
        unsafe operands.b_panel_stride = Int64(layout.panelStride)
        unsafe operands.b_row_stride = Int64(layout.rowStride)
        unsafe operands.alpha = alpha
        unsafe operands.accumulates = accumulates ? 1 : 0
        unsafe operands.c = c
        unsafe operands.c_row_stride = Int64(cStride)
        unsafe kernel.run(&operands, workspace: rest)
    }
}
