import Checkpoints
import Datasets

/// A matrix of 32-bit floats from NumPy's `.npy`.
package struct NumPyMatrix: Sendable {
    /// The file that it came from.
    package let path: String
    /// Its extents.
    package let rows: Int
    package let columns: Int
    /// Row after row.
    private let values: [Float]

    /// Reads a file of little-endian 32-bit floats in C order, of two dimensions.
    ///
    /// Errors: `InputError`, in one sentence that says what the file holds instead.
    package init(contentsOfFile path: String) throws(InputError) {
        let bytes = try InputPaths.bytes(of: path, expected: "a NumPy file (.npy) of float32")
        let start = Array(bytes.prefix(NumPyHeader.longest))
        guard NumPyHeader.isArray(start) else {
            throw .malformed(path, "is no NumPy array; numpy.save(path, values.astype(\"float32\")) makes one")
        }
        guard let header = NumPyHeader(start) else {
            throw .malformed(path, "has a damaged header; save it again with numpy.save")
        }
        guard header.descriptor == "<f4" else {
            throw .malformed(path, "holds numbers of the type \(header.descriptor); float32 (<f4) is right")
        }
        guard header.shape.count == 2 else {
            throw .malformed(path, "has the shape \(Self.text(header.shape)); two dimensions are right")
        }
        guard !header.isColumnMajor || header.shape.contains(where: { $0 < 2 }) else {
            throw .malformed(path, "is in Fortran order; save numpy.ascontiguousarray(values)")
        }
        let size = MemoryLayout<Float>.size
        let (count, overflow) = header.shape[0].multipliedReportingOverflow(by: header.shape[1])
        let available = bytes.count - header.length
        guard !overflow, available % size == 0, available / size == count else {
            throw .malformed(
                path, "has \(available) bytes of numbers, which is not what the shape \(Self.text(header.shape)) takes")
        }
        self.path = path
        (rows, columns) = (header.shape[0], header.shape[1])
        values = unsafe [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            unsafe bytes.withUnsafeBytes { bytes in
                unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: bytes[header.length...]))
            }
            initialized = count
        }
    }

    /// One row.
    package subscript(row: Int) -> [Float] { Array(values[row * columns..<(row + 1) * columns]) }

    /// The shape in Python's words.
    package var shapeText: String { Self.text([rows, columns]) }

    /// Whether all numbers are finite.
    package var isFinite: Bool { values.allSatisfy(\.isFinite) }

    private static func text(_ shape: [Int]) -> String {
        "(\(shape.map(String.init).joined(separator: ", "))\(shape.count == 1 ? "," : ""))"
    }
}
