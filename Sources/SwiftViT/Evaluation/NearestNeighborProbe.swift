import Compute
import LibC
import Models

/// k-nearest-neighbour classification of frozen features.
///
/// DINO's protocol (Caron et al. 2021, appendix F.1; Wu et al. 2018): the k training images with the largest cosine
/// similarity vote for their classes with exp(cosine / temperature).
public struct NearestNeighborProbe: Sendable {
    /// The numbers of neighbours to evaluate; a number above that of the images means all of them.
    public var neighborCounts = [10, 20, 100]
    /// The lower, the more the nearest neighbours weigh.
    public var temperature = 0.07
    /// The number of threads; nil: as many as the process may use. Results do not depend on it.
    public var threads: Int?

    /// DINO's: 10, 20 and 100 neighbours, temperature 0.07.
    public init() {}

    /// The accuracy with some number of neighbours.
    public struct Outcome: Sendable, Hashable {
        /// The number of neighbours that vote (k).
        public let neighborCount: Int
        /// The share of images whose class gets the most votes.
        public let top1: Double
        /// The share whose class is among the five with the most votes; a class without votes never is.
        public let top5: Double
    }

    /// Images that are looked up between two reports of progress.
    private static let imagesPerStep = 512

    /// Classifies the images of `evaluation` by votes of those of `training`; one outcome per number of neighbours.
    ///
    /// `progress` receives the number of images done.
    public func run(
        training: LabeledFeatures, evaluation: LabeledFeatures, classCount: Int, progress: (Int) -> Void = { _ in }
    ) -> [Outcome] {
        precondition(
            training.width == evaluation.width && training.count > 0 && temperature > 0,
            "NearestNeighborProbe: got \(training.values.shape), \(evaluation.values.shape), \(temperature)")
        let search = CosineSearch(TensorRows(training.values), engine: Engines.make(threads: threads))
        var (best, amongFive) = (neighborCounts.map { _ in 0 }, neighborCounts.map { _ in 0 })
        for first in stride(from: 0, to: evaluation.count, by: Self.imagesPerStep) {
            let range = first..<min(first + Self.imagesPerStep, evaluation.count)
            let matches = search.best(
                neighborCounts.max() ?? 0, for: evaluation.values.rows(range),
                excluding: [Int?](repeating: nil, count: range.count))
            for (image, matches) in zip(range, matches) {
                let ranks = ranks(
                    of: evaluation.labels[image], matches, labels: training.labels, classCount: classCount)
                for (place, rank) in ranks.enumerated() {
                    if rank == 0 { best[place] += 1 }
                    if rank < 5 { amongFive[place] += 1 }
                }
            }
            progress(range.upperBound)
        }
        let total = Double(max(1, evaluation.count))
        return neighborCounts.indices.map { place in
            Outcome(
                neighborCount: neighborCounts[place], top1: Double(best[place]) / total,
                top5: Double(amongFive[place]) / total)
        }
    }

    /// How many classes get more votes than `label`, for each number of neighbours; all of them if it gets none.
    private func ranks(of label: Int, _ neighbors: [Match], labels: [Int], classCount: Int) -> [Int] {
        neighborCounts.map { count in
            var votes = [Double](repeating: 0, count: classCount)
            for neighbor in neighbors.prefix(count) {
                votes[labels[neighbor.row]] += exp(Double(neighbor.similarity) / temperature)
            }
            guard votes[label] > 0 else { return max(5, classCount) }
            return votes.indices.count { index in
                votes[index] > votes[label] || (index < label && votes[index] == votes[label])
            }
        }
    }
}
