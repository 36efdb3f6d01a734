import CKernels

extension CPUEngine {
    package func softmax(_ x: Tensor) {
        guard let width = x.shape.last, width > 0 else { return }
        forBlocks(of: Self.rowsPerTask(width: width), in: x.count / width) { rows, _ in
            unsafe vit_softmax(x.pointer + rows.lowerBound * width, rows.count, width, width)
        }
    }

    package func causalSoftmax(_ x: Tensor) {
        let (rowCount, width) = (x.shape[x.shape.count - 2], x.shape[x.shape.count - 1])
        precondition(rowCount <= width, "causalSoftmax: got \(rowCount) queries of \(width) keys")
        workers.run(x.count / max(1, rowCount * width)) { matrix, _ in
            unsafe vit_causal_softmax(
                x.pointer + matrix * rowCount * width, rowCount, width - rowCount + 1, width, width)
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
