import LibC

/// The joint probabilities of t-SNE, which are zero except between near neighbours.
///
/// Van der Maaten 2014, "Accelerating t-SNE using Tree-Based Algorithms", section 4.1.
package struct NeighborGraph {
    /// The neighbours of vector i are `neighbors[starts[i]..<starts[i + 1]]`, sorted, with their probabilities.
    package let starts: [Int]
    package let neighbors: [Int32]
    package let probabilities: [Float]

    /// From the nearest neighbours of each vector; the squared distance of vectors of length 1 is 2 − 2 · cosine.
    package init(_ matches: [[Match]], perplexity: Double) {
        let count = matches.count
        var rows = [[(Int32, Double)]](repeating: [], count: count)
        for (row, list) in matches.enumerated() {
            let distances = list.map { max(0, 2 - 2 * Double($0.similarity)) }
            for (match, probability) in zip(list, Self.conditional(distances, perplexity: perplexity)) {
                let share = probability / Double(2 * count)
                rows[row].append((Int32(match.row), share))
                rows[match.row].append((Int32(row), share))
            }
        }
        var (starts, neighbors, probabilities) = ([0], [Int32](), [Float]())
        for row in rows {
            var sums: [(neighbor: Int32, sum: Double)] = []
            for (neighbor, share) in row.sorted(by: { $0 < $1 }) {
                if let last = sums.last, last.neighbor == neighbor {
                    sums[sums.count - 1].sum += share
                } else {
                    sums.append((neighbor, share))
                }
            }
            neighbors += sums.map(\.neighbor)
            probabilities += sums.map { Float($0.sum) }
            starts.append(neighbors.count)
        }
        (self.starts, self.neighbors, self.probabilities) = (starts, neighbors, probabilities)
    }

    /// Gaussian weights whose entropy is log(perplexity), found by bisection of the precision.
    package static func conditional(_ distances: [Double], perplexity: Double) -> [Double] {
        guard let nearest = distances.min() else { return [] }
        let wanted = log(perplexity)
        var (precision, least, most) = (1.0, 0.0, Double.infinity)
        var weights: [Double] = []
        for _ in 0..<64 {
            weights = distances.map { exp(-precision * ($0 - nearest)) }
            let sum = weights.reduce(0, +)
            weights = weights.map { $0 / sum }
            let entropy = -weights.reduce(0) { $0 + ($1 > 0 ? $1 * log($1) : 0) }
            if abs(entropy - wanted) < 1e-5 { break }
            if entropy > wanted { least = precision } else { most = precision }
            precision = most.isInfinite ? precision * 2 : (least + most) / 2
        }
        return weights
    }
}
