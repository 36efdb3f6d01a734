import Compute
import Models
import Randomness

/// How well a linear classifier separates classes on frozen features.
///
/// Batch normalization without weight and bias and a linear layer (He et al. 2022, appendix A.1), for many learning
/// rates in one pass over the features (Oquab et al. 2024, appendix B.3); half a cosine down to 0 after a linear rise.
public struct LinearProbe: Sendable {
    /// The optimizer, with a momentum of 0.9 and no decay.
    public enum Optimizer: String, Sendable, Hashable, CaseIterable {
        /// Stochastic gradient descent, as DINOv2.
        case sgd
        /// With a rate for each layer, as MAE (trust coefficient 0.001).
        case lars

        /// The base learning rates that are tried where none are named.
        public var baseRates: [Double] {
            switch self {
            case .sgd: [1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1]
            case .lars: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]
            }
        }
    }

    /// The optimizer.
    public var optimizer = Optimizer.sgd
    /// Learning rates for a batch of 256, scaled with the batch; nil: the optimizer's.
    public var baseRates: [Double]?
    /// Passes over the features.
    public var epochs = 90
    /// Passes over which the rate rises.
    public var warmupEpochs = 10
    /// Images per step; at most as many as there are.
    public var batchSize = 256
    /// Decides on order and first weights.
    public var seed: UInt64 = 0
    /// Number of threads; nil: the cores that the process may use. Results do not depend on it.
    public var threads: Int?

    /// The defaults.
    public init() {}

    /// The result of a learning rate.
    public struct Outcome: Sendable {
        /// For a batch of 256.
        public let baseRate: Double
        /// As used.
        public let rate: Double
        /// A list of scores for each set of features, in the order in which they were given.
        public let scores: [ClassificationScores]

        /// Whether the weights stayed finite.
        public var hasConverged: Bool { scores.allSatisfy(\.loss.isFinite) }
    }

    /// The index of the outcome that is best on the first set of features; of equally good ones, of the one with the smaller
    /// loss. Nil where all diverged.
    public static func best(of outcomes: [Outcome]) -> Int? {
        outcomes.indices.filter { outcomes[$0].hasConverged }.max { one, other in
            let (one, other) = (outcomes[one].scores[0], outcomes[other].scores[0])
            return (one.correctCount, -one.loss) < (other.correctCount, -other.loss)
        }
    }

    /// Trains on `training` and measures on each of `others`; an outcome per learning rate.
    ///
    /// `progress` gets the steps done and their number.
    public func run(
        training: LabeledFeatures, others: [LabeledFeatures], classCount: Int,
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) -> [Outcome] {
        let batch = max(1, min(batchSize, training.count))
        let stepsPerEpoch = max(1, training.count / batch)
        let total = epochs * stepsPerEpoch
        let baseRates = baseRates ?? optimizer.baseRates
        let schedules = baseRates.map {
            LearningRateSchedule(
                peak: LearningRateSchedule.scaled(base: $0, effectiveBatch: batch),
                warmupSteps: min(warmupEpochs, epochs) * stepsPerEpoch, totalSteps: total)
        }
        var settings = LARS()
        if optimizer == .sgd { settings.trust = nil }
        let heads = LinearHeads(
            headCount: baseRates.count, classCount: classCount, width: training.width, batchSize: batch,
            optimizer: settings, seed: seed, engine: Engines.make(threads: threads))
        var indices = [Int32](repeating: 0, count: batch)
        var rates = baseRates
        for step in 0..<total {
            let (epoch, place) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
            let order = RandomPermutation(count: training.count, seed: seed, epoch: epoch)
            for row in 0..<batch { indices[row] = Int32(order[place * batch + row]) }
            for head in rates.indices { rates[head] = schedules[head].rate(at: step) }
            heads.step(training, indices: indices, rates: rates)
            progress(step + 1, total)
        }
        let scores = others.map { heads.scores($0) }
        return baseRates.indices.map { head in
            Outcome(baseRate: baseRates[head], rate: schedules[head].peak, scores: scores.map { $0[head] })
        }
    }
}
