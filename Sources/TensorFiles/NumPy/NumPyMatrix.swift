import CKernels
import Support

/// Rows of numbers from NumPy's `.npy`, read where they lie in the file.
package struct NumPyMatrix: Sendable {
    /// What the numbers may be.
    package enum Element: String, Sendable, CaseIterable {
        case float32 = "<f4"
        case float16 = "<f2"

        /// The bytes a number takes.
        package var size: Int { self == .float32 ? 4 : 2 }
    }

    /// The file.
    package let path: String
    /// Its extents; `columns` counts the numbers of a row.
    package let rows: Int
    package let columns: Int
    /// What the numbers are.
    package let element: Element
    private let shape: [Int]
    private let file: MappedFile
    private let start: Int

    /// Opens a file of little-endian numbers in C order, of two dimensions, or of more where `isFlattened`: then all but
    /// the first are a row.
    ///
    /// Errors: `FileError`, in one sentence that says what the file holds instead.
    package init(
        contentsOfFile path: String, of elements: [Element] = [.float32], isFlattened: Bool = false
    ) throws(FileError) {
        let names = elements.map { "\($0)" }.joined(separator: " or ")
        file = try MappedFile(path, expected: "a NumPy file (.npy) of \(names)")
        let head = file.bytes.slice(0, min(file.bytes.count, NumPyHeader.longest))?.array ?? []
        guard NumPyHeader.isArray(head) else {
            throw .malformed(path, "is no NumPy array; numpy.save(path, values.astype(\"float32\")) makes one")
        }
        guard let header = NumPyHeader(head) else {
            throw .malformed(path, "has a damaged header; save it again with numpy.save")
        }
        guard let element = elements.first(where: { $0.rawValue == header.descriptor }) else {
            let right = elements.map { "\($0) (\($0.rawValue))" }.joined(separator: " or ")
            throw .malformed(path, "holds numbers of the type \(header.descriptor); \(right) is right")
        }
        guard header.shape.count == 2 || isFlattened && header.shape.count > 2 else {
            throw .malformed(path, "has the shape \(Self.text(header.shape)); two dimensions are right")
        }
        guard !header.isColumnMajor || header.shape.contains(where: { $0 < 2 }) else {
            throw .malformed(path, "is in Fortran order; save numpy.ascontiguousarray(values)")
        }
        let available = file.bytes.count - header.length
        guard let count = elementCount(header.shape), available % element.size == 0, available / element.size == count
        else {
            throw .malformed(
                path, "has \(available) bytes of numbers, which is not what the shape \(Self.text(header.shape)) takes")
        }
        self.path = path
        self.element = element
        shape = header.shape
        rows = shape[0]
        columns = shape.dropFirst().reduce(1, *)
        start = header.length
    }

    /// Copies rows into `target`, which has exactly their extent, as 32-bit floats.
    package func copy(_ range: Range<Int>, into target: inout MutableSpan<Float>) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= rows && range.count * columns == target.count,
            "NumPyMatrix.copy: rows \(range) of \(rows) do not fill \(target.count) numbers")
        guard let bytes = bytes(range) else { return }
        unsafe target.withUnsafeMutableBufferPointer { target in
            guard let address = target.baseAddress else { return }
            if element == .float16 {
                unsafe vit_float32_from_float16(bytes.address, target.count, address)
            } else {
                unsafe UnsafeMutableRawPointer(address).copyMemory(from: bytes.address, byteCount: bytes.count)
            }
        }
    }

    /// Gives the memory of rows that were read back to the system.
    package func release(_ range: Range<Int>) { bytes(range)?.releasePages() }

    private func bytes(_ range: Range<Int>) -> Bytes? {
        let rowSize = columns * element.size
        return file.bytes.slice(start + range.lowerBound * rowSize, range.count * rowSize)
    }

    /// One row.
    package subscript(row: Int) -> [Float] {
        var values = [Float](repeating: 0, count: columns)
        var span = values.mutableSpan
        copy(row..<row + 1, into: &span)
        return values
    }

    /// The shape in Python's words.
    package var shapeText: String { Self.text(shape) }

    /// Whether all numbers are finite.
    package var isFinite: Bool { (0..<rows).allSatisfy { self[$0].allSatisfy(\.isFinite) } }

    private static func text(_ shape: [Int]) -> String {
        "(\(shape.map(String.init).joined(separator: ", "))\(shape.count == 1 ? "," : ""))"
    }
}
