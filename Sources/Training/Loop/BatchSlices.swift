/// The slices in which a batch goes through a model, so that what is kept for backward does not grow with the batch.
///
/// The gradients of the slices add up to those of the whole batch. Where it is cut depends on the model and the batch
/// alone.
package struct BatchSlices {
    /// Images of a slice.
    package let size: Int
    package let ranges: [Range<Int>]

    /// The floats that a slice may keep for backward.
    private static let capacity = 120_000_000

    /// - Parameter activationCount: the floats that are kept for backward of an image.
    package init(batchSize: Int, activationCount: Int) {
        let fitting = max(1, Self.capacity / max(1, activationCount))
        let divisors = (1...max(1, batchSize)).filter { batchSize % $0 == 0 }
        let largest = divisors.last { $0 <= fitting } ?? 1
        // Slices far below the capacity would use the cores badly; memory matters less then.
        let size = 2 * largest >= min(fitting, batchSize) ? largest : divisors.first { $0 >= fitting } ?? batchSize
        self.size = size
        ranges = stride(from: 0, to: batchSize, by: size).map { $0..<$0 + size }
    }

    /// Runs `pass` over the slices and returns the mean of their losses; stops where one is not finite.
    package func mean(_ pass: (Range<Int>) -> Double) -> Double {
        var sum = 0.0
        for range in ranges {
            sum += pass(range)
            guard sum.isFinite else { return sum }
        }
        return sum / Double(ranges.count)
    }
}
