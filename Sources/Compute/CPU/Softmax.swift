import CKernels

extension CPUEngine {
    package func softmax(_ x: Tensor) {
        guard let width = x.shape.last, width > 0 else { return }
        forBlocks(of: Self.rowsPerTask(width: width), in: x.count / width) { rows, _ in
            unsafe vit_softmax(x.pointer + rows.lowerBound * width, rows.count, width, width)
        }
    }

    package func softmaxBackward(_ y: Tensor, d: Tensor) {
        precondition(y.count == d.count, "softmaxBackward: got y \(y.shape), d \(d.shape)")
        guard let width = y.shape.last, width > 0 else { return }
        forBlocks(of: Self.rowsPerTask(width: width), in: y.count / width) { rows, _ in
            let offset = rows.lowerBound * width
            unsafe vit_softmax_backward(y.pointer + offset, rows.count, width, width, d.pointer + offset)
        }
    }
}
