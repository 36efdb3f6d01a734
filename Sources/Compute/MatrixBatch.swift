/// Matrices at regular places of a tensor, one for each image and head.
package struct MatrixBatch: Sendable {
    /// How many of something there are, and how many elements one is from the next. A step of 0 repeats the same.
    package struct Axis: Sendable, Hashable {
        package var count: Int
        package var step: Int

        package init(_ count: Int, step: Int) {
            self.count = count
            self.step = step
        }
    }

    package var tensor: Tensor
    /// The first element of the first matrix.
    package var offset: Int
    package var images: Axis
    package var heads: Axis
    package var rows: Axis
    package var columns: Axis

    package init(_ tensor: Tensor, offset: Int = 0, images: Axis, heads: Axis, rows: Axis, columns: Axis) {
        let last =
            offset + [images, heads, rows, columns].reduce(0) { $0 + max(0, $1.count - 1) * $1.step }
        precondition(
            offset >= 0 && last < max(tensor.count, 1),
            "MatrixBatch: \(rows.count) × \(columns.count) matrices reach beyond \(tensor.shape)")
        self.tensor = tensor
        self.offset = offset
        self.images = images
        self.heads = heads
        self.rows = rows
        self.columns = columns
    }

    /// The same matrices with rows and columns exchanged.
    package var transposed: MatrixBatch {
        var result = self
        (result.rows, result.columns) = (columns, rows)
        return result
    }

    /// Of x (B, N, P·D), which holds P parts of H heads side by side, the heads (N, D/H) of part `part`.
    package static func heads(of x: Tensor, part: Int = 0, parts: Int = 1, heads: Int) -> MatrixBatch {
        let (rowCount, row) = (x.shape[1], x.shape[2])
        let width = row / parts
        return MatrixBatch(
            x, offset: part * width, images: Axis(x.shape[0], step: rowCount * row),
            heads: Axis(heads, step: width / heads), rows: Axis(rowCount, step: row),
            columns: Axis(width / heads, step: 1))
    }

    /// The matrices (R, C) of x (B, H, R, C).
    package static func maps(_ x: Tensor) -> MatrixBatch {
        let (heads, rows, columns) = (x.shape[1], x.shape[2], x.shape[3])
        return MatrixBatch(
            x, images: Axis(x.shape[0], step: heads * rows * columns), heads: Axis(heads, step: rows * columns),
            rows: Axis(rows, step: columns), columns: Axis(columns, step: 1))
    }

    /// One matrix (R, C) for each image of x (B, R, C); one for all of `imageCount` images where x is (R, C).
    package static func matrices(_ x: Tensor, imageCount: Int? = nil) -> MatrixBatch {
        let (rows, columns) = (x.shape[x.shape.count - 2], x.shape[x.shape.count - 1])
        let images = x.shape.count == 2 ? Axis(imageCount ?? 1, step: 0) : Axis(x.shape[0], step: rows * columns)
        return MatrixBatch(
            x, images: images, heads: Axis(1, step: 0), rows: Axis(rows, step: columns), columns: Axis(columns, step: 1)
        )
    }
}
