import CKernels
import Checkpoints
import Compute
import Datasets

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
    private let file: MappedBytes
    private let start: Int

    /// Opens a file of little-endian numbers in C order, of two dimensions, or of more where `isFlattened`: then all but
    /// the first are a row.
    ///
    /// Errors: `InputError`, in one sentence that says what the file holds instead.
    package init(
        contentsOfFile path: String, of elements: [Element] = [.float32], isFlattened: Bool = false
    ) throws(InputError) {
        let names = elements.map { "\($0)" }.joined(separator: " or ")
        file = try MappedBytes(path, expected: "a NumPy file (.npy) of \(names)")
        let head = unsafe Array(file.bytes.prefix(NumPyHeader.longest))
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
        let available = file.count - header.length
        guard let count = Self.product(header.shape), available % element.size == 0, available / element.size == count
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

    private static func product(_ shape: [Int]) -> Int? {
        var count = 1
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            if overflow { return nil }
            count = product
        }
        return count
    }

    /// Copies rows into `target`, which has exactly their extent, as 32-bit floats.
    package func copy(_ range: Range<Int>, into target: UnsafeMutableBufferPointer<Float>) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= rows && range.count * columns == target.count,
            "NumPyMatrix.copy: rows \(range) of \(rows) do not fill \(target.count) numbers")
        guard let address = target.baseAddress, !target.isEmpty else { return }
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: file.bytes[byteRange(range)])
        if element == .float16 {
            unsafe vit_floats_from_halves(bytes.baseAddress, target.count, address)
        } else {
            unsafe UnsafeMutableRawBufferPointer(target).copyMemory(from: bytes)
        }
    }

    /// Gives the memory of rows that were read back to the system.
    package func release(_ range: Range<Int>) { file.release(byteRange(range)) }

    private func byteRange(_ range: Range<Int>) -> Range<Int> {
        let rowSize = columns * element.size
        return start + range.lowerBound * rowSize..<start + range.upperBound * rowSize
    }

    /// The shape in Python's words.
    package var shapeText: String { Self.text(shape) }

    /// Whether all numbers are finite.
    package var isFinite: Bool { (0..<rows).allSatisfy { self[$0].allSatisfy(\.isFinite) } }

    private static func text(_ shape: [Int]) -> String {
        "(\(shape.map(String.init).joined(separator: ", "))\(shape.count == 1 ? "," : ""))"
    }
}
