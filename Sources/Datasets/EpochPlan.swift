/// How a data set is cut into steps: which epoch a step belongs to, and which places of the epoch's order it takes.
public struct EpochPlan: Sendable, Equatable {
    /// How many images an epoch has to draw from.
    public let imageCount: Int
    /// How many images go through the model at once.
    public let batchSize: Int
    /// How many such batches make a step.
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

    /// How many images a step takes.
    public var imagesPerStep: Int { batchSize * accumulate }

    /// How many whole steps an epoch has; the images that are left over are dropped, others in every epoch.
    public var stepsPerEpoch: Int { imageCount / imagesPerStep }

    /// The epoch that a step belongs to, and its place there; both count from 0.
    public func position(ofStep step: Int) -> (epoch: Int, stepInEpoch: Int) {
        step.quotientAndRemainder(dividingBy: stepsPerEpoch) as (Int, Int)
    }

    /// How many steps that many epochs are.
    public func steps(epochs: Int) -> Int { epochs * stepsPerEpoch }

    /// Where the image with the number `index`, counted over all epochs, stands.
    func slot(ofImage index: Int) -> (epoch: Int, slot: Int) {
        index.quotientAndRemainder(dividingBy: stepsPerEpoch * imagesPerStep) as (Int, Int)
    }
}
