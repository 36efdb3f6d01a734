import Compute
import TensorFiles

/// Vectors that can be searched, in a file or in memory.
package protocol VectorRows: Sendable {
    /// The number of vectors.
    var rows: Int { get }
    /// The length of a vector.
    var columns: Int { get }
    /// One vector.
    subscript(row: Int) -> [Float] { get }
    /// Copies vectors into `target`, which has exactly their size.
    func copy(_ range: Range<Int>, into target: inout MutableSpan<Float>)
    /// Releases the memory of vectors; a later access reads them again.
    func release(_ range: Range<Int>)
}

extension NumPyMatrix: VectorRows {}

/// The rows of a matrix in memory.
package struct TensorRows: VectorRows {
    private let matrix: Tensor

    /// The rows of `matrix` (vectors, width), which do not change while they are searched.
    package init(_ matrix: Tensor) {
        precondition(matrix.shape.count == 2, "TensorRows: expected (vectors, width), got \(matrix.shape)")
        self.matrix = matrix
    }

    package var rows: Int { matrix.shape[0] }
    package var columns: Int { matrix.shape[1] }
    package subscript(row: Int) -> [Float] { matrix.rows(row..<row + 1).values }

    package func copy(_ range: Range<Int>, into target: inout MutableSpan<Float>) {
        matrix.rows(range).withNumbers { source in
            precondition(source.count == target.count, "TensorRows.copy: \(range) do not fill \(target.count) numbers")
            for index in source.indices { target[index] = source[index] }
        }
    }

    package func release(_ range: Range<Int>) {}
}

extension VectorRows {
    /// The rows with a number that is not finite, and the others.
    package func partitionedByFiniteness() -> (finite: [Int], others: [Int]) {
        var (finite, others): ([Int], [Int]) = ([], [])
        for row in 0..<rows {
            if self[row].allSatisfy(\.isFinite) { finite.append(row) } else { others.append(row) }
        }
        return (finite, others)
    }
}

/// Some rows of a file, in ascending order.
package struct SelectedRows: VectorRows {
    private let whole: NumPyMatrix
    private let selected: [Int]

    package init(_ selected: [Int], of whole: NumPyMatrix) {
        self.selected = selected
        self.whole = whole
    }

    package var rows: Int { selected.count }
    package var columns: Int { whole.columns }
    package subscript(row: Int) -> [Float] { whole[selected[row]] }

    package func copy(_ range: Range<Int>, into target: inout MutableSpan<Float>) {
        for (place, row) in range.enumerated() {
            for (column, value) in self[row].enumerated() { target[place * columns + column] = value }
        }
    }

    package func release(_ range: Range<Int>) {
        guard let first = range.first, let last = range.last else { return }
        whole.release(selected[first]..<selected[last] + 1)
    }
}
