import CKernels
import Support

extension StoredTensor {
    /// Copies the numbers into `numbers` as 32-bit floats, in row-major order after their dimensions are permuted, and
    /// gives mapped pages back.
    ///
    /// The tensor has to be of a floating-point type.
    /// - Parameter permutation: the stored dimension that each dimension is taken from; nil leaves the order.
    package func copy(permutation: [Int]? = nil, into numbers: inout MutableSpan<Float>) throws(FileError) {
        let own = strides ?? rowMajorStrides(shape)
        let order = permutation ?? Array(shape.indices)
        let view = StridedView(
            type: description.type, shape: order.map { shape[$0] }, strides: order.map { own[$0] },
            isRowMajor: permutation == nil && strides == nil)
        precondition(
            view.count == numbers.count, "StoredTensor.copy: \(name) \(shape) does not fill \(numbers.count) numbers")
        let bytes = try bytes()
        unsafe numbers.withUnsafeMutableBufferPointer { target in
            if let target = target.baseAddress { unsafe view.copy(from: bytes, to: target) }
        }
        releasePages()
    }

    /// The numbers as 32-bit floats in row-major order; they have to be of a floating-point type.
    package func values() throws(FileError) -> [Float] {
        var values = [Float](repeating: 0, count: description.count)
        var span = values.mutableSpan
        try copy(into: &span)
        return values
    }
}

/// Numbers of a floating-point type at regular distances, to be laid out as 32-bit floats in row-major order.
private struct StridedView {
    var type: StoredType
    var shape: [Int]
    /// The distance between neighbours along each dimension, in elements.
    var strides: [Int]
    var isRowMajor: Bool

    var count: Int { shape.reduce(1, *) }

    /// Converts the numbers of `bytes` in the order of `shape`.
    ///
    /// `bytes` covers every element, which the readers have checked; `target` takes `count` floats.
    func copy(from bytes: Bytes, to target: UnsafeMutablePointer<Float>) {
        precondition(count == 0 || farthest < bytes.count / type.size, "StridedView: \(shape) reaches beyond its bytes")
        switch type {
        case .float32: unsafe copy(bytes, Float.self, target) { $0 }
        case .float16 where isRowMajor: unsafe vit_float32_from_float16(bytes.address, count, target)
        case .float16: unsafe copy(bytes, UInt16.self, target) { Float(Float16(bitPattern: $0)) }
        case .bfloat16: unsafe copy(bytes, UInt16.self, target) { Float(bitPattern: UInt32($0) << 16) }
        case .float64: unsafe copy(bytes, Double.self, target) { Float($0) }
        default: preconditionFailure("StridedView: expected floating-point numbers, got \(type.rawValue)")
        }
    }

    /// The index of the element that lies farthest from the first.
    private var farthest: Int { zip(shape, strides).reduce(0) { $0 + ($1.0 - 1) * $1.1 } }

    @inline(__always)
    private func copy<Element: BitwiseCopyable>(
        _ bytes: Bytes, _: Element.Type, _ target: UnsafeMutablePointer<Float>, _ convert: (Element) -> Float
    ) {
        let size = MemoryLayout<Element>.stride
        let source = unsafe UnsafeRawPointer(bytes.address)
        if isRowMajor {
            for index in 0..<count {
                unsafe target[index] = convert(source.loadUnaligned(fromByteOffset: index * size, as: Element.self))
            }
            return
        }
        guard let inner = shape.last, let step = strides.last, count > 0 else { return }
        var position = [Int](repeating: 0, count: shape.count - 1)
        var row = 0
        for start in stride(from: 0, to: count, by: inner) {
            for index in 0..<inner {
                let offset = (row + index * step) * size
                unsafe target[start + index] = convert(source.loadUnaligned(fromByteOffset: offset, as: Element.self))
            }
            // The next row: count up like an odometer.
            for dimension in position.indices.reversed() {
                position[dimension] += 1
                row += strides[dimension]
                if position[dimension] < shape[dimension] { break }
                row -= strides[dimension] * shape[dimension]
                position[dimension] = 0
            }
        }
    }
}
