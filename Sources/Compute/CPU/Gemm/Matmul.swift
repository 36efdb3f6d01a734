extension CPUEngine {
    package func matmul(_ a: MatrixBatch, _ b: MatrixBatch, scale: Float, accumulates: Bool, into c: MatrixBatch) {
        let (m, n, k) = (a.rows.count, b.columns.count, a.columns.count)
        precondition(
            k == b.rows.count && m == c.rows.count && n == c.columns.count,
            "matmul: \(m) × \(k) times \(b.rows.count) × \(n) into \(c.rows.count) × \(c.columns.count)")
        // Rows of C have to be contiguous: otherwise its transpose is computed, Bᵀ · Aᵀ.
        guard c.columns.step == 1 || n == 1 else {
            precondition(c.rows.step == 1 || m == 1, "matmul: neither rows nor columns of the result are contiguous")
            return matmul(b.transposed, a.transposed, scale: scale, accumulates: accumulates, into: c.transposed)
        }
        var product = SmallGemm(
            kernel: kernel, m: m, n: n, k: k, aStrides: a.strides, bStrides: b.strides, cStride: c.rows.step)
        product.alpha = scale
        product.accumulates = accumulates
        // Matrices that are added up in one place are computed by one task, in order.
        let sums = c.images.step == 0 ? a.images.count : 1
        let imageCount = a.images.count / max(sums, 1)
        workers.run(imageCount * c.heads.count) { task, worker in
            let (image, head) = (task / c.heads.count, task % c.heads.count)
            let workspace = unsafe scratch(of: worker, floatCount: product.workspaceCount)
            var product = product
            for index in image..<image + sums {
                unsafe product.run(
                    Elements(a.pointer(index, head)), Elements(b.pointer(index, head)), into: c.pointer(index, head),
                    workspace: workspace)
                product.accumulates = true
            }
        }
    }
}

extension MatrixBatch {
    /// Distances between rows and between columns, one of which is 1.
    fileprivate var strides: (Int, Int) {
        if columns.count == 1 { return (rows.step, 1) }
        if rows.count == 1 { return columns.step == 1 ? (columns.count, 1) : (1, columns.step) }
        precondition(rows.step == 1 || columns.step == 1, "matmul: neither rows nor columns are contiguous")
        return (rows.step, columns.step)
    }

    fileprivate func pointer(_ image: Int, _ head: Int) -> UnsafeMutablePointer<Float> {
        unsafe tensor.pointer + offset + image * images.step + head * heads.step
    }
}
