import Compute

/// Batch normalization without weight and bias (Ioffe and Szegedy 2015), as PyTorch's `BatchNorm1d(affine=False)`.
///
/// A batch is normalized by its own statistics in training, and by their running mean afterwards.
package final class BatchNorm {
    private let epsilon: Double
    private let momentum: Double
    private var sums: [Double]
    private var squares: [Double]
    /// Running mean of each column.
    package private(set) var mean: [Double]
    /// Running unbiased variance of each column.
    package private(set) var variance: [Double]

    /// For rows of `width` numbers; `momentum` is the weight of a new batch in the running statistics.
    package init(width: Int, epsilon: Double = 1e-6, momentum: Double = 0.1) {
        self.epsilon = epsilon
        self.momentum = momentum
        sums = [Double](repeating: 0, count: width)
        squares = sums
        mean = sums
        variance = [Double](repeating: 1, count: width)
    }

    /// Normalizes a batch (B, width), in place, by its own statistics, and updates the running ones.
    package func normalizeBatch(_ x: Tensor, engine: any Engine) {
        let (rowCount, width) = (x.shape[0], x.shape[1])
        precondition(width == mean.count, "BatchNorm: expected rows of \(mean.count), got \(x.shape)")
        measure(x)
        let correction = Double(rowCount) / Double(max(1, rowCount - 1))
        for column in 0..<width {
            mean[column] += momentum * (sums[column] - mean[column])
            variance[column] += momentum * (squares[column] * correction - variance[column])
        }
        apply(mean: sums, variance: squares, to: x, engine)
    }

    /// Normalizes rows (N, width), in place, by the running statistics.
    package func normalize(_ x: Tensor, engine: any Engine) {
        apply(mean: mean, variance: variance, to: x, engine)
    }

    /// Mean and biased variance of each column, in `sums` and `squares`.
    private func measure(_ x: Tensor) {
        let (rowCount, width) = (x.shape[0], x.shape[1])
        for column in 0..<width { (sums[column], squares[column]) = (0, 0) }
        x.withNumbers { values in
            for row in 0..<rowCount {
                for column in 0..<width { sums[column] += Double(values[row * width + column]) }
            }
            for column in 0..<width { sums[column] /= Double(rowCount) }
            for row in 0..<rowCount {
                for column in 0..<width {
                    let difference = Double(values[row * width + column]) - sums[column]
                    squares[column] += difference * difference
                }
            }
        }
        for column in 0..<width { squares[column] /= Double(rowCount) }
    }

    private func apply(mean: [Double], variance: [Double], to x: Tensor, _ engine: any Engine) {
        let scale = variance.map { 1 / ($0 + epsilon).squareRoot() }
        engine.fillRows(of: x) { _, values in
            for column in 0..<values.count {
                values[column] = Float((Double(values[column]) - mean[column]) * scale[column])
            }
        }
    }
}
