import Compute

/// Batch normalisation without scale and shift (Ioffe and Szegedy 2015), as PyTorch's `BatchNorm1d(affine=False)`.
///
/// A batch is normalised by its own statistics in training, and by their running mean afterwards.
package final class BatchNorm {
    private let epsilon: Double
    private let momentum: Double
    private var sums: [Double]
    private var squares: [Double]
    private var scale: [Double]
    /// Running mean of each column.
    package private(set) var mean: [Double]
    /// Running unbiased variance of each column.
    package private(set) var variance: [Double]

    /// For rows of `width` numbers; `momentum` is the share of a new batch in the running statistics.
    package init(width: Int, epsilon: Double = 1e-6, momentum: Double = 0.1) {
        self.epsilon = epsilon
        self.momentum = momentum
        sums = [Double](repeating: 0, count: width)
        squares = sums
        scale = sums
        mean = sums
        variance = [Double](repeating: 1, count: width)
    }

    /// Normalises a batch (B, width), in place, by its own statistics, which are remembered.
    package func normalizeBatch(_ x: Tensor) {
        let (rowCount, width) = (x.shape[0], x.shape[1])
        precondition(width == mean.count, "BatchNorm: expected rows of \(mean.count), got \(x.shape)")
        measure(x)
        let correction = Double(rowCount) / Double(max(1, rowCount - 1))
        for column in 0..<width {
            mean[column] += momentum * (sums[column] - mean[column])
            variance[column] += momentum * (squares[column] * correction - variance[column])
        }
        apply(mean: sums, variance: squares, to: x)
    }

    /// Normalises rows (N, width), in place, by what was remembered.
    package func normalize(_ x: Tensor) { apply(mean: mean, variance: variance, to: x) }

    /// Mean and biased variance of each column, in `sums` and `squares`.
    private func measure(_ x: Tensor) {
        let (rowCount, width) = (x.shape[0], x.shape[1])
        for column in 0..<width { (sums[column], squares[column]) = (0, 0) }
        for row in 0..<rowCount {
            let line = unsafe x.pointer + row * width
            for column in 0..<width { unsafe sums[column] += Double(line[column]) }
        }
        for column in 0..<width { sums[column] /= Double(rowCount) }
        for row in 0..<rowCount {
            let line = unsafe x.pointer + row * width
            for column in 0..<width {
                let difference = unsafe Double(line[column]) - sums[column]
                squares[column] += difference * difference
            }
        }
        for column in 0..<width { squares[column] /= Double(rowCount) }
    }

    private func apply(mean: [Double], variance: [Double], to x: Tensor) {
        let (rowCount, width) = (x.shape[0], x.shape[1])
        for column in 0..<width { scale[column] = 1 / (variance[column] + epsilon).squareRoot() }
        for row in 0..<rowCount {
            let line = unsafe x.pointer + row * width
            for column in 0..<width {
                unsafe line[column] = Float((Double(line[column]) - mean[column]) * scale[column])
            }
        }
    }
}
