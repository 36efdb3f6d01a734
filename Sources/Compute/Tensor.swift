import CKernels

/// A contiguous view of numbers in a storage: where it starts, what shape it has, and the type of its elements.
///
/// Copying a tensor copies the view, never the numbers.
public struct Tensor: Sendable {
    package let storage: Storage
    /// The first element, counted in elements from the start of the storage.
    package let offset: Int
    /// The type of the elements.
    public let type: ElementType
    /// The extent of each dimension, outermost first.
    public let shape: [Int]
    /// The number of elements.
    public let count: Int

    /// A zeroed tensor with a storage of its own.
    public init(shape: [Int], type: ElementType = .float32) {
        self.init(
            storage: Storage(byteCount: shape.reduce(1, *) * type.byteCount), offset: 0, shape: shape, type: type)
    }

    /// A view into `storage` that starts `offset` elements after its beginning.
    package init(storage: Storage, offset: Int, shape: [Int], type: ElementType = .float32) {
        let count = shape.reduce(1, *)
        precondition(
            offset >= 0 && (offset + count) * type.byteCount <= storage.byteCount,
            "Tensor: \(shape) at offset \(offset) does not fit into \(storage.byteCount) bytes")
        self.storage = storage
        self.offset = offset
        self.shape = shape
        self.type = type
        self.count = count
    }

    /// A tensor with a copy of `values`, in row-major order.
    public init(_ values: [Float], shape: [Int]) {
        precondition(
            values.count == shape.reduce(1, *), "Tensor: \(values.count) values do not fill the shape \(shape)")
        self.init(shape: shape)
        unsafe pointer.update(from: values, count: values.count)
    }

    /// A tensor of row numbers, in row-major order.
    package init(indices: [Int32], shape: [Int]) {
        self.init(shape: shape, type: .int32)
        assign(indices: indices)
    }

    /// The address of the first element; valid while the tensor, or another view of its storage, lives.
    var pointer: UnsafeMutablePointer<Float> {
        precondition(type == .float32, "Tensor: expected elements of type float32, got \(type.rawValue)")
        return unsafe storage.address.assumingMemoryBound(to: Float.self) + offset
    }

    /// The address of the first element of bfloat16.
    var bfloat16s: UnsafeMutablePointer<UInt16> {
        precondition(type == .bfloat16, "Tensor: expected elements of type bfloat16, got \(type.rawValue)")
        return unsafe storage.address.assumingMemoryBound(to: UInt16.self) + offset
    }

    /// The address of the first row number of an index.
    var indices: UnsafeMutablePointer<Int32> {
        precondition(type == .int32, "Tensor: expected elements of type int32, got \(type.rawValue)")
        return unsafe storage.address.assumingMemoryBound(to: Int32.self) + offset
    }

    /// The elements in row-major order, copied.
    public var values: [Float] {
        guard type == .bfloat16 else { return unsafe Array(UnsafeBufferPointer(start: pointer, count: count)) }
        return unsafe [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            if let start = buffer.baseAddress { unsafe vit_float32_from_bfloat16(bfloat16s, count, start) }
            initialized = count
        }
    }

    /// The row numbers of an index in row-major order, copied.
    package var indexValues: [Int32] { unsafe Array(UnsafeBufferPointer(start: indices, count: count)) }

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
        if type == .bfloat16 {
            unsafe vit_round_to_bfloat16(values, values.count, bfloat16s + offset)
        } else {
            unsafe (pointer + offset).update(from: values, count: values.count)
        }
    }

    /// Overwrites all row numbers of an index, in row-major order.
    package func assign(indices values: [Int32]) {
        precondition(values.count == count, "Tensor.assign: \(values.count) values do not fill the shape \(shape)")
        unsafe indices.update(from: values, count: count)
    }

    /// The elements from `offset` on, under a shape of their own.
    package func view(at offset: Int, _ shape: [Int]) -> Tensor {
        Tensor(storage: storage, offset: self.offset + offset, shape: shape, type: type)
    }

    /// The same elements under another shape of the same size.
    public func reshaped(_ shape: [Int]) -> Tensor {
        precondition(
            shape.reduce(1, *) == count, "Tensor.reshaped: \(self.shape) has \(count) elements, \(shape) does not")
        return Tensor(storage: storage, offset: offset, shape: shape, type: type)
    }

    /// As many of the first elements as a smaller shape has, under it.
    package func first(_ shape: [Int]) -> Tensor {
        Tensor(storage: storage, offset: offset, shape: shape, type: type)
    }

    /// Rows `range` of the outermost dimension.
    public func rows(_ range: Range<Int>) -> Tensor {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= shape[0], "Tensor.rows: \(range) is outside 0..<\(shape[0])")
        let rowCount = shape[0] == 0 ? 0 : count / shape[0]
        return Tensor(
            storage: storage, offset: offset + range.lowerBound * rowCount, shape: [range.count] + shape.dropFirst(),
            type: type)
    }
}
