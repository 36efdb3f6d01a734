import Support

/// Writes an array of 32-bit floats as NumPy's `.npy`, row by row, without knowing how many will come.
package final class NumPyWriter {
    private let file: OutputFile
    private let rowShape: [Int]
    private let rowCount: Int
    /// The rows written.
    package private(set) var rows = 0

    /// Starts a file of rows of `columns` numbers that will be called `path`.
    package convenience init(_ path: String, columns: Int, unfinished: UnfinishedFiles) throws(FileError) {
        try self.init(path, rowShape: [columns], unfinished: unfinished)
    }

    /// Starts a file of rows that are arrays of this shape themselves.
    package init(_ path: String, rowShape: [Int], unfinished: UnfinishedFiles) throws(FileError) {
        file = try OutputFile(path, unfinished: unfinished)
        self.rowShape = rowShape
        rowCount = rowShape.reduce(1, *)
        try file.append(Self.header(shape: [0] + rowShape))
    }

    /// Writes one row.
    package func append(_ row: [Float]) throws(FileError) {
        precondition(row.count == rowCount, "NumPyWriter: expected a row of \(rowCount) numbers, got \(row.count)")
        try unsafe file.append(row.span.bytes)
        rows += 1
    }

    /// Notes the number of rows and puts the file in its place.
    package func finish() throws(FileError) {
        try file.overwrite(Self.header(shape: [rows] + rowShape), at: 0)
        try file.commit()
    }

    private static func header(shape: [Int]) -> [UInt8] { NumPyHeader.bytes(descriptor: "<f4", shape: shape) }
}
