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
