import Compute
import Models

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How well classes can be told apart by the nearest neighbours of frozen features.
///
/// DINO's protocol (Caron et al. 2021, appendix F.1; Wu et al. 2018): the k training pictures of the largest cosine
/// vote for their classes with exp(cosine / temperature).
public struct NearestNeighborProbe: Sendable {
    /// Numbers of neighbours, each of which is tried; more than there are pictures means all of them.
    public var neighborCounts = [10, 20, 100]
    /// The smaller, the more the nearest count.
    public var temperature = 0.07
    /// Threads at work; nil: as many as the process may use. Results do not depend on it.
    public var threads: Int?

    /// DINO's: 10, 20 and 100 neighbours, temperature 0.07.
    public init() {}

    /// What a number of neighbours led to.
    public struct Outcome: Sendable, Hashable {
        /// Neighbours that vote (k).
        public let neighborCount: Int
        /// The part of the pictures whose class got the most votes.
        public let top1: Double
        /// The part whose class is among the five with the most; a class without a vote never is.
        public let top5: Double
    }

    /// Pictures that are looked up between two reports of progress.
    private static let picturesAtOnce = 512

    /// Lets the pictures of `training` vote on those of `evaluation`; an outcome for each number of neighbours.
    ///
    /// `progress` gets the pictures done.
    public func run(
        training: LabeledFeatures, evaluation: LabeledFeatures, classCount: Int, progress: (Int) -> Void = { _ in }
    ) -> [Outcome] {
        precondition(
            training.width == evaluation.width && training.count > 0 && temperature > 0,
            "NearestNeighborProbe: got \(training.values.shape), \(evaluation.values.shape), \(temperature)")
        let search = CosineSearch(TensorRows(training.values), engine: Engines.make(threads: threads))
        var (best, amongFive) = (neighborCounts.map { _ in 0 }, neighborCounts.map { _ in 0 })
        for first in stride(from: 0, to: evaluation.count, by: Self.picturesAtOnce) {
            let range = first..<min(first + Self.picturesAtOnce, evaluation.count)
            let matches = search.best(
                neighborCounts.max() ?? 0, for: evaluation.values.rows(range),
                excluding: [Int?](repeating: nil, count: range.count))
            for (picture, matches) in zip(range, matches) {
                let ranks = ranks(
                    of: evaluation.labels[picture], matches, labels: training.labels, classCount: classCount)
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

    /// How many classes got more votes than `label`, for each number of neighbours; all of them where it got none.
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
