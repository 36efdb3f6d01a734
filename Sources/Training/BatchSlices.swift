/// How a batch is cut on its way through a model, so that what is kept for the way back does not grow with the batch.
///
/// The gradients of the slices are added up: the step is the same as in one piece. Where the cuts are depends on the model
/// and the batch alone.
package struct BatchSlices {
    /// Images of a slice.
    package let size: Int
    package let ranges: [Range<Int>]

    /// What a slice may leave for the way back, in floats.
    private static let capacity = 120_000_000

    /// - Parameter activationCount: the floats that an image's forward pass leaves for the way back.
    package init(batchSize: Int, activationCount: Int) {
        let fitting = max(1, Self.capacity / max(1, activationCount))
        let divisors = (1...max(1, batchSize)).filter { batchSize % $0 == 0 }
        let largest = divisors.last { $0 <= fitting } ?? 1
        // Slices far below the capacity would use the cores badly; then memory gives way.
        let size = 2 * largest >= min(fitting, batchSize) ? largest : divisors.first { $0 >= fitting } ?? batchSize
        self.size = size
        ranges = stride(from: 0, to: batchSize, by: size).map { $0..<$0 + size }
    }

    /// Runs `pass` over the slices and returns the mean of their losses; stops where one is no number.
    package func mean(_ pass: (Range<Int>) -> Double) -> Double {
        var sum = 0.0
        for range in ranges {
            sum += pass(range)
            guard sum.isFinite else { return sum }
        }
        return sum / Double(ranges.count)
    }
}
