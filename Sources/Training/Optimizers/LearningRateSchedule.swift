import LibC

/// The learning rate as a function of the step alone: a linear rise from 0, then half a cosine down to a minimum.
///
/// He et al. 2022, table 8; set anew in every step (Loshchilov and Hutter 2017 for the cosine).
public struct LearningRateSchedule: Sendable, Hashable {
    /// The rate at the end of the rise.
    public var peak: Double
    /// The rate that the cosine comes down to.
    public var minimum: Double
    /// Steps of the rise.
    public var warmupSteps: Int
    /// Steps of the whole run.
    public var totalSteps: Int

    /// A schedule; warm-up steps beyond the end of the run never reach the peak.
    public init(peak: Double, minimum: Double = 0, warmupSteps: Int, totalSteps: Int) {
        self.peak = peak
        self.minimum = minimum
        self.warmupSteps = warmupSteps
        self.totalSteps = totalSteps
    }

    /// The rate of `step`, counted from 0.
    public func rate(at step: Int) -> Double {
        if step < warmupSteps { return peak * Double(step) / Double(warmupSteps) }
        let length = totalSteps - warmupSteps
        guard length > 0 else { return peak }
        let progress = min(1, Double(step - warmupSteps) / Double(length))
        return minimum + (peak - minimum) * 0.5 * (1 + cos(.pi * progress))
    }

    /// The peak that belongs to a base rate: blr · effective batch / 256 (Goyal et al. 2017).
    public static func scaled(base: Double, effectiveBatch: Int) -> Double { base * Double(effectiveBatch) / 256 }

    /// The peak for masked autoencoding where no base rate is given: 2.4e-3 · √(effective batch / 4096).
    ///
    /// He et al. 2022 use 2.4e-3 with their batch of 4096. For AdamW, the square root serves other batches (Malladi et al. 2022):
    /// in proportion to the batch, the rate for some dozens of images is too low to learn much by.
    public static func maskedAutoencoding(effectiveBatch: Int) -> Double {
        2.4e-3 * (Double(effectiveBatch) / 4096).squareRoot()
    }
}
