/// The division of a data set into steps: the epoch of each step, and the slots of the epoch's order that it takes.
public struct EpochPlan: Sendable, Equatable {
    /// The number of images to draw from in an epoch.
    public let imageCount: Int
    /// Images per forward pass.
    public let batchSize: Int
    /// Batches per step.
    public let accumulate: Int

    /// A plan; `batchSize` and `accumulate` are at least 1.
    public init(imageCount: Int, batchSize: Int, accumulate: Int = 1) {
        precondition(
            batchSize >= 1 && accumulate >= 1,
            "EpochPlan: expected a batch size and an accumulation of 1 or more, got \(batchSize) and \(accumulate)")
        self.imageCount = imageCount
        self.batchSize = batchSize
        self.accumulate = accumulate
    }

    /// Images per step.
    public var imagesPerStep: Int { batchSize * accumulate }

    /// Whole steps per epoch; the remaining images are dropped, different ones in each epoch.
    public var stepsPerEpoch: Int { imageCount / imagesPerStep }

    /// The epoch of a step, and its index in the epoch; both count from 0.
    public func position(ofStep step: Int) -> (epoch: Int, stepInEpoch: Int) {
        step.quotientAndRemainder(dividingBy: stepsPerEpoch) as (Int, Int)
    }

    /// The number of steps in some epochs.
    public func steps(epochs: Int) -> Int { epochs * stepsPerEpoch }

    /// The epoch and slot of image `index`, counted over all epochs.
    func slot(ofImage index: Int) -> (epoch: Int, slot: Int) {
        index.quotientAndRemainder(dividingBy: stepsPerEpoch * imagesPerStep) as (Int, Int)
    }
}
