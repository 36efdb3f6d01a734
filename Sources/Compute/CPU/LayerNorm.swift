import CKernels

extension CPUEngine {
    package func layerNorm(
        _ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Float, into y: Tensor, mean: Tensor, variance: Tensor
    ) {
        let width = weight.count
        let rowCount = x.count / width
        precondition(
            x.count % width == 0 && y.count == x.count && bias.count == width && mean.count >= rowCount
                && variance.count >= rowCount,
            "layerNorm: got x \(x.shape), y \(y.shape), weight \(weight.shape), mean \(mean.shape)")
        forBlocks(of: Self.rowsPerTask(rowCount: rowCount, width: width), in: rowCount) { rows, _ in
            let (first, offset) = (rows.lowerBound, rows.lowerBound * width)
            unsafe vit_layer_norm(
                x.pointer + offset, rows.count, width, weight.pointer, bias.pointer, epsilon, y.pointer + offset,
                mean.pointer + first, variance.pointer + first)
        }
    }

    package func layerNormBackward(
        _ dy: Tensor, x: Tensor, weight: Tensor, epsilon: Float, mean: Tensor, variance: Tensor, residual: Tensor?,
        dx: Tensor, dWeight: Tensor, dBias: Tensor
    ) {
        let width = weight.count
        let rowCount = x.count / width
        precondition(
            dy.count == x.count && dx.count == x.count && residual.map { $0.count == x.count } ?? true
                && dWeight.count == width && dBias.count == width,
            "layerNormBackward: got dy \(dy.shape), x \(x.shape), dx \(dx.shape), dWeight \(dWeight.shape)")
        let size = Self.rowsPerTask(width: width)
        let blockCount = (rowCount + size - 1) / size
        // Each block sums its own rows; the blocks are then added in order, whoever computed them.
        let partial = unsafe partialSums(floatCount: 2 * blockCount * width)
        unsafe partial.update(repeating: 0, count: 2 * blockCount * width)
        forBlocks(of: size, in: rowCount) { rows, _ in
            let (first, offset) = (rows.lowerBound, rows.lowerBound * width)
            let block = unsafe partial + first / size * width
            unsafe vit_layer_norm_backward(
                x.pointer + offset, dy.pointer + offset, rows.count, width, weight.pointer, epsilon,
                mean.pointer + first, variance.pointer + first, residual.map { unsafe $0.pointer + offset },
                dx.pointer + offset, block, block + blockCount * width)
        }
        unsafe vit_add_column_sums(partial, blockCount, width, width, dWeight.pointer)
        unsafe vit_add_column_sums(partial + blockCount * width, blockCount, width, width, dBias.pointer)
    }
}
