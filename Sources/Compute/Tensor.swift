/// A contiguous view of 32-bit floats in a storage: where it starts and what shape it has.
///
/// Copying a tensor copies the view, never the numbers.
public struct Tensor: Sendable {
    package let storage: Storage
    /// The first element, counted in floats from the start of the storage.
    package let offset: Int
    /// The extent of each dimension, outermost first.
    public let shape: [Int]
    /// The number of elements.
    public let count: Int

    /// A zeroed tensor with a storage of its own.
    public init(shape: [Int]) {
        self.init(
            storage: Storage(byteCount: shape.reduce(1, *) * MemoryLayout<Float>.stride), offset: 0, shape: shape)
    }

    /// A view into `storage` that starts `offset` floats after its beginning.
    package init(storage: Storage, offset: Int, shape: [Int]) {
        let count = shape.reduce(1, *)
        precondition(
            offset >= 0 && (offset + count) * MemoryLayout<Float>.stride <= storage.byteCount,
            "Tensor: \(shape) at offset \(offset) does not fit into \(storage.byteCount) bytes")
        self.storage = storage
        self.offset = offset
        self.shape = shape
        self.count = count
    }

    /// A tensor with a copy of `values`, in row-major order.
    public init(_ values: [Float], shape: [Int]) {
        precondition(
            values.count == shape.reduce(1, *), "Tensor: \(values.count) values do not fill the shape \(shape)")
        self.init(shape: shape)
        unsafe pointer.update(from: values, count: values.count)
    }

    /// The address of the first element; valid while the tensor, or another view of its storage, lives.
    package var pointer: UnsafeMutablePointer<Float> {
        unsafe storage.address.assumingMemoryBound(to: Float.self) + offset
    }

    /// The elements in row-major order, in place; valid as long as `pointer` is.
    package var buffer: UnsafeMutableBufferPointer<Float> {
        unsafe UnsafeMutableBufferPointer(start: pointer, count: count)
    }

    /// The elements in row-major order, copied.
    public var values: [Float] {
        unsafe Array(UnsafeBufferPointer(start: pointer, count: count))
    }

    /// The elements `range` in row-major order, copied.
    package func values(in range: Range<Int>) -> [Float] {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "Tensor.values: \(range) is outside \(shape)")
        return unsafe Array(UnsafeBufferPointer(start: pointer + range.lowerBound, count: range.count))
    }

    /// Overwrites all elements, in row-major order.
    package func assign(_ values: [Float]) {
        precondition(values.count == count, "Tensor.assign: \(values.count) values do not fill the shape \(shape)")
        assign(values, at: 0)
    }

    /// Overwrites as many elements as there are values, from element `offset` on.
    package func assign(_ values: [Float], at offset: Int) {
        precondition(
            offset >= 0 && offset + values.count <= count,
            "Tensor.assign: \(values.count) values at \(offset) do not fit into the shape \(shape)")
        unsafe (pointer + offset).update(from: values, count: values.count)
    }

    /// The elements from `offset` on, under a shape of their own.
    package func view(at offset: Int, _ shape: [Int]) -> Tensor {
        Tensor(storage: storage, offset: self.offset + offset, shape: shape)
    }

    /// The same elements under another shape of the same size.
    public func reshaped(_ shape: [Int]) -> Tensor {
        precondition(
            shape.reduce(1, *) == count, "Tensor.reshaped: \(self.shape) has \(count) elements, \(shape) does not")
        return Tensor(storage: storage, offset: offset, shape: shape)
    }

    /// As many of the first elements as a smaller shape has, under it.
    package func first(_ shape: [Int]) -> Tensor { Tensor(storage: storage, offset: offset, shape: shape) }

    /// Rows `range` of the outermost dimension.
    public func rows(_ range: Range<Int>) -> Tensor {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= shape[0], "Tensor.rows: \(range) is outside 0..<\(shape[0])")
        let rowCount = shape[0] == 0 ? 0 : count / shape[0]
        return Tensor(
            storage: storage, offset: offset + range.lowerBound * rowCount, shape: [range.count] + shape.dropFirst())
    }
}
