import Compute
import Models
import Randomness

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Which patches of figures a training step sees: drawn without replacement, likelier the more a patch shows.
///
/// A figure is mostly paper. Gumbel noise on the logarithm of the weights makes the draw (Kool et al. 2019).
enum PatchChoice {
    /// The noise by which image number `index` of a step keeps its patches, smallest first, into `noise` (patches);
    /// `image` is (3, height, width).
    static func draw(_ image: Tensor, patch: Int, step: Int, index: Int, seed: UInt64, into noise: Tensor) {
        var random = CounterRandom(seed: seed, purpose: .masking, epoch: step, index: index)
        noise.assign(
            weights(image, patch: patch).map { weight in
                let uniform = min(max(random.uniform(), 1e-9), 1 - 1e-9)
                return Float(-(log(weight) - log(-log(uniform))))
            })
    }

    /// How much each patch shows: the deviation of its green samples, and how far their mean is from that of most.
    private static func weights(_ image: Tensor, patch: Int) -> [Double] {
        let (height, width) = (image.shape[1], image.shape[2])
        let green = image.rows(1..<2).values
        var statistics: [(mean: Double, deviation: Double)] = []
        for top in stride(from: 0, to: height, by: patch) {
            for left in stride(from: 0, to: width, by: patch) {
                var (sum, squares) = (Float(0), Float(0))
                for row in top..<top + patch {
                    for value in green[row * width + left..<row * width + left + patch] {
                        sum += value
                        squares += value * value
                    }
                }
                let mean = Double(sum) / Double(patch * patch)
                let variance = max(0, Double(squares) / Double(patch * patch) - mean * mean)
                statistics.append((mean, variance.squareRoot()))
            }
        }
        let paper = statistics.map(\.mean).sorted()[statistics.count / 2]
        return statistics.map { $0.deviation + 0.4 * abs($0.mean - paper) + 0.03 }
    }
}
