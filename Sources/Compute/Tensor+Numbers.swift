import Support

extension Tensor {
    /// A view of numbers that lie in memory or a mapped file as 32-bit floats in row-major order; nil where they do not
    /// start at a multiple of four bytes.
    package init?(mapped bytes: Bytes, shape: [Int]) {
        let size = MemoryLayout<Float>.stride
        guard bytes.start % size == 0, shape.reduce(size, *) == bytes.count else { return nil }
        self.init(storage: Storage(bytes.memory), offset: bytes.start / size, shape: shape)
    }

    /// Reads the numbers in row-major order, without a copy of them where they are in this process's memory.
    package func withNumbers<Result, Failure: Error>(
        _ body: (Span<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(unsafe Span(_unsafeStart: pointer, count: count))
    }

    /// Overwrites the numbers, in row-major order.
    package func withMutableNumbers<Result, Failure: Error>(
        _ body: (inout MutableSpan<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var numbers = unsafe MutableSpan(_unsafeStart: pointer, count: count)
        return try body(&numbers)
    }
}
