import Compute

/// Numbers of any floating-point type at regular distances, to be laid out as 32-bit floats in row-major order.
struct StridedView {
    var type: ElementType
    var shape: [Int]
    /// The distance between neighbours along each dimension, in elements.
    var strides: [Int]
    var isRowMajor: Bool

    var count: Int { shape.reduce(1, *) }

    /// Converts the numbers of `bytes` in the order of `shape`.
    ///
    /// `bytes` covers every element, which the readers have checked; `target` has room for `count` floats.
    func copy(from bytes: Bytes, to target: UnsafeMutablePointer<Float>) {
        precondition(farthest < bytes.count / type.size || count == 0, "StridedView: \(shape) reaches beyond its bytes")
        switch type {
        case .float32: unsafe copy(bytes, Float.self, target) { $0 }
        case .float16: unsafe copy(bytes, UInt16.self, target, Self.float16)
        case .bfloat16: unsafe copy(bytes, UInt16.self, target) { Float(bitPattern: UInt32($0) << 16) }
        case .float64: unsafe copy(bytes, Double.self, target) { Float($0) }
        default: preconditionFailure("StridedView: expected floating point numbers, got \(type.rawValue)")
        }
    }

    /// The index of the element that lies farthest from the first.
    private var farthest: Int { zip(shape, strides).reduce(0) { $0 + ($1.0 - 1) * $1.1 } }

    /// The value of a 16-bit float: its exponent is rebased by a multiplication, which also does subnormal numbers.
    private static func float16(_ half: UInt16) -> Float {
        let magnitude = UInt32(half & 0x7FFF) << 13
        let rebased = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
        let isSpecial = magnitude >= 0x7C00 << 13
        let sign = UInt32(half & 0x8000) << 16
        return Float(bitPattern: sign | rebased | (isSpecial ? 0x7F80_0000 : 0))
    }

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

extension StoredTensor {
    /// The stored numbers with their dimensions in another order.
    func strided(permutation: [Int]?) -> StridedView {
        let own = strides ?? rowMajorStrides(shape)
        let order = permutation ?? Array(shape.indices)
        return StridedView(
            type: description.type, shape: order.map { shape[$0] }, strides: order.map { own[$0] },
            isRowMajor: permutation == nil && strides == nil)
    }
}

/// The distances between neighbours along each dimension when the last one varies fastest.
func rowMajorStrides(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for dimension in shape.indices.dropLast().reversed() {
        strides[dimension] = strides[dimension + 1] * shape[dimension + 1]
    }
    return strides
}
