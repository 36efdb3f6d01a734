extension CPUEngine {
    package func matmul(_ a: MatrixBatch, _ b: MatrixBatch, scale: Float, accumulates: Bool, into c: MatrixBatch) {
        precondition(
            a.columns.count == b.rows.count && a.rows.count == c.rows.count && b.columns.count == c.columns.count,
            "matmul: \(a.rows.count) × \(a.columns.count) times \(b.rows.count) × \(b.columns.count)")
        for image in 0..<a.images.count {
            for head in 0..<a.heads.count {
                func place(_ m: MatrixBatch) -> Int { m.offset + image * m.images.step + head * m.heads.step }
                for row in 0..<a.rows.count {
                    for column in 0..<b.columns.count {
                        var sum: Float = 0
                        for k in 0..<a.columns.count {
                            sum +=
                                unsafe a.tensor.pointer[place(a) + row * a.rows.step + k * a.columns.step]
                                * b.tensor.pointer[place(b) + k * b.rows.step + column * b.columns.step]
                        }
                        let index = place(c) + row * c.rows.step + column * c.columns.step
                        unsafe c.tensor.pointer[index] = (accumulates ? c.tensor.pointer[index] : 0) + scale * sum
                    }
                }
            }
        }
    }
}
