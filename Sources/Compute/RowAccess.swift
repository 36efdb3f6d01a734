/// Reading and writing a tensor's numbers row by row, on the engine's threads: for code that makes the numbers itself,
/// such as the pixels of a batch.
///
/// A row is everything behind one index of the outermost dimension. Rows are visited in no particular order, each once.
extension Engine {
    /// Lets `body` write every row of `x`; a row starts with the values that it has.
    package func fillRows(of x: Tensor, _ body: (_ row: Int, _ values: inout MutableSpan<Float>) -> Void) {
        let rowCount = x.shape.first ?? 1
        let length = x.count / max(rowCount, 1)
        forEachTask(rowCount) { row in
            var values = unsafe UnsafeMutableBufferPointer(start: x.pointer + row * length, count: length).mutableSpan
            body(row, &values)
        }
    }

    /// Shows `body` every row of `x`.
    package func readRows(of x: Tensor, _ body: (_ row: Int, _ values: Span<Float>) -> Void) {
        let rowCount = x.shape.first ?? 1
        let length = x.count / max(rowCount, 1)
        forEachTask(rowCount) { row in
            body(row, unsafe UnsafeBufferPointer(start: x.pointer + row * length, count: length).span)
        }
    }
}
