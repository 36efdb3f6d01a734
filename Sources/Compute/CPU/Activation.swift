import CKernels

extension CPUEngine {
    package func activate(_ x: Tensor, _ activation: Activation, into y: Tensor) {
        precondition(x.count == y.count, "activate: got x \(x.shape), y \(y.shape)")
        forBlocks(of: Self.elementsPerTask, in: x.count) { elements, _ in
            let first = elements.lowerBound
            unsafe activation.apply(x.elements + first, elements.count, into: y.pointer + first)
        }
    }

    package func activateBackward(_ dy: Tensor, x: Tensor, _ activation: Activation, dx: Tensor) {
        precondition(
            dy.count == x.count && dx.count == x.count,
            "activateBackward: got dy \(dy.shape), x \(x.shape), dx \(dx.shape)")
        forBlocks(of: Self.elementsPerTask, in: x.count) { elements, worker in
            let first = elements.lowerBound
            unsafe activation.applyBackward(
                x.elements + first, dy.pointer + first, elements.count, into: dx.pointer + first,
                workspace: scratch(of: worker, floatCount: Activation.workspaceCount))
        }
    }
}

extension Activation {
    /// y = activation(x) of `count` numbers; y may be x.
    func apply(_ x: UnsafeMutablePointer<Float>, _ count: Int, into y: UnsafeMutablePointer<Float>) {
        switch self {
        case .gelu: unsafe vit_gelu(x, count, y)
        case .geluTanh: unsafe vit_gelu_tanh(x, count, y)
        case .quickGELU: unsafe vit_quick_gelu(x, count, y)
        }
    }

    /// The same of rows of `width` numbers, so many floats apart in x and in y; y may be x.
    func applyRows(
        _ x: UnsafeMutablePointer<Float>, stride xStride: Int, rowCount: Int, width: Int,
        into y: UnsafeMutablePointer<Float>, stride yStride: Int
    ) {
        for row in 0..<rowCount { unsafe apply(x + row * xStride, width, into: y + row * yStride) }
    }

    /// Numbers that are widened at a time, which stay in the first-level cache.
    private static let pieceCount = 2048
    /// Floats of workspace for a backward pass.
    static var workspaceCount: Int { pieceCount }

    /// y = activation(x) of `count` numbers of either type; y may be x.
    func apply(_ x: Elements, _ count: Int, into y: UnsafeMutablePointer<Float>) {
        guard x.type == .bfloat16 else { return unsafe apply(x.floats, count, into: y) }
        for first in stride(from: 0, to: count, by: Self.pieceCount) {
            let size = min(Self.pieceCount, count - first)
            unsafe (x + first).copy(count: size, into: y + first)
            unsafe apply(y + first, size, into: y + first)
        }
    }

    /// dx = dy · activation'(x) of `count` numbers, x of either type; dx may be dy.
    func applyBackward(
        _ x: Elements, _ dy: UnsafeMutablePointer<Float>, _ count: Int, into dx: UnsafeMutablePointer<Float>,
        workspace: UnsafeMutablePointer<Float>
    ) {
        guard x.type == .bfloat16 else { return unsafe applyBackward(x.floats, dy, count, into: dx) }
        for first in stride(from: 0, to: count, by: Self.pieceCount) {
            let size = min(Self.pieceCount, count - first)
            unsafe (x + first).copy(count: size, into: workspace)
            unsafe applyBackward(workspace, dy + first, size, into: dx + first)
        }
    }

    /// dx = dy · activation'(x) of `count` numbers; dx may be dy.
    private func applyBackward(
        _ x: UnsafeMutablePointer<Float>, _ dy: UnsafeMutablePointer<Float>, _ count: Int,
        into dx: UnsafeMutablePointer<Float>
    ) {
        switch self {
        case .gelu: unsafe vit_gelu_backward(x, dy, count, dx)
        case .geluTanh: unsafe vit_gelu_tanh_backward(x, dy, count, dx)
        case .quickGELU: unsafe vit_quick_gelu_backward(x, dy, count, dx)
        }
    }
}
