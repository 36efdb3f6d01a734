import Support

/// A tensor as it lies in a file: its name, type and shape.
public struct TensorDescription: Sendable, Hashable {
    /// The name in the file.
    public var name: String
    /// The type of its numbers.
    public var type: StoredType
    /// The extent of each dimension, outermost first.
    public var shape: [Int]

    package init(name: String, type: StoredType, shape: [Int]) {
        self.name = name
        self.type = type
        self.shape = shape
    }

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }
    /// The size of the numbers in bytes.
    public var byteCount: Int { count * type.size }
}

/// A described tensor together with the place of its numbers.
package struct StoredTensor: Sendable {
    /// Where the numbers are.
    enum Source: Sendable {
        /// In a mapped file, as they are.
        case mapped(Bytes)
        /// In a deflated entry of an archive, from this byte of its content on.
        case deflated(ZipEntry, offset: Int)
    }

    package let description: TensorDescription
    /// The keys of the dictionaries that the tensor lies in, outermost first.
    package internal(set) var location: [String] = []
    /// The distance between neighbours along each dimension, in elements; nil where the order is row-major.
    let strides: [Int]?
    let source: Source
    /// The file, for messages.
    package let path: String

    init(_ description: TensorDescription, strides: [Int]? = nil, source: Source, path: String) {
        self.description = description
        self.strides = strides
        self.source = source
        self.path = path
    }

    package var name: String { description.name }
    package var shape: [Int] { description.shape }
    /// The name with the keys around it before it.
    package var fullName: String { TensorFile.path(location, name) }

    /// The bytes of the numbers where they lie in the file as 32-bit floats in row-major order.
    package var mappedFloats: Bytes? {
        guard case .mapped(let bytes) = source, strides == nil, description.type == .float32 else { return nil }
        return bytes.slice(0, description.byteCount)
    }

    /// Gives the memory of mapped numbers back; a later access reads the file again.
    package func releasePages() {
        if case .mapped(let bytes) = source { bytes.releasePages() }
    }

    /// The bytes from the first number on, inflated where necessary.
    func bytes() throws(FileError) -> Bytes {
        switch source {
        case .mapped(let bytes): return bytes
        case .deflated(let entry, let offset):
            let content = try entry.content()
            guard let bytes = content.slice(offset, content.count - offset) else {
                throw .malformed(path, "\(name) starts beyond the end of its archive entry")
            }
            return bytes
        }
    }
}

/// The number of elements of `shape`; nil where an extent is negative, or where the bytes are more than a number holds,
/// even if they are none: strides, rows and other parts of a shape are products of the extents that are not 0.
package func elementCount(_ shape: [Int]) -> Int? {
    var count = 1
    for extent in shape where extent != 0 {
        let (product, overflow) = count.multipliedReportingOverflow(by: extent)
        guard extent > 0, !overflow, product <= Int.max / largestNumber else { return nil }
        count = product
    }
    return shape.contains(0) ? 0 : count
}

/// The bytes of the largest number.
private let largestNumber = 8

/// The distances between neighbours along each dimension when the last one varies fastest.
func rowMajorStrides(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for dimension in shape.indices.dropLast().reversed() {
        strides[dimension] = strides[dimension + 1] * shape[dimension + 1]
    }
    return strides
}
