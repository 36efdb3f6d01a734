import CKernels

/// The address of numbers of float32 or bfloat16, counted in elements.
@safe
struct Elements {
    private let address: UnsafeMutableRawPointer
    let type: ElementType

    init(_ floats: UnsafeMutablePointer<Float>) { unsafe (address, type) = (UnsafeMutableRawPointer(floats), .float32) }

    fileprivate init(_ tensor: Tensor) {
        precondition(tensor.type != .int32, "Elements: expected floating point, got \(tensor.type.rawValue)")
        unsafe address = tensor.storage.address + tensor.offset * tensor.type.byteCount
        type = tensor.type
    }

    private init(_ address: UnsafeMutableRawPointer, _ type: ElementType) {
        unsafe (self.address, self.type) = (address, type)
    }

    static func + (elements: Elements, count: Int) -> Elements {
        unsafe Elements(elements.address + count * elements.type.byteCount, elements.type)
    }

    /// The first number of float32; of words that are pairs of bfloat16, the first word.
    var floats: UnsafeMutablePointer<Float> { unsafe address.assumingMemoryBound(to: Float.self) }
    /// The first number of bfloat16.
    var bfloat16s: UnsafeMutablePointer<UInt16> { unsafe address.assumingMemoryBound(to: UInt16.self) }

    /// Overwrites as many numbers.
    func assign(_ values: UnsafePointer<Float>, count: Int) {
        if type == .bfloat16 {
            unsafe vit_round_to_bfloat16(values, count, bfloat16s)
        } else {
            unsafe floats.update(from: values, count: count)
        }
    }

    /// Overwrites rows of `width` numbers, `rowStride` apart, with rows of `values`, which are rounded alike.
    func assignRows(
        rounding values: UnsafeMutablePointer<Float>, stride: Int, rowCount: Int, width: Int, rowStride: Int
    ) {
        for row in 0..<rowCount {
            let target = self + row * rowStride
            unsafe target.assign(values + row * stride, count: width)
            unsafe target.copy(count: width, into: values + row * stride)
        }
    }

    /// Copies as many numbers.
    func copy(count: Int, into values: UnsafeMutablePointer<Float>) {
        if type == .bfloat16 {
            unsafe vit_float32_from_bfloat16(bfloat16s, count, values)
        } else {
            unsafe values.update(from: floats, count: count)
        }
    }
}

extension Tensor {
    /// Where the elements begin.
    var elements: Elements { Elements(self) }
}
