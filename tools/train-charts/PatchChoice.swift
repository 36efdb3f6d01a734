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
    /// The mask of a step for images (B, 3, height, width) cut into patches of `patch` pixels.
    static func mask(_ images: Tensor, patch: Int, keptCount: Int, step: Int, seed: UInt64) -> PatchMask {
        let patchCount = (images.shape[2] / patch) * (images.shape[3] / patch)
        guard keptCount < patchCount else {
            return .keepingAll(patchCount: patchCount, imageCount: images.shape[0])
        }
        let noise = (0..<images.shape[0]).flatMap { image in
            var random = CounterRandom(seed: seed, purpose: .masking, epoch: step, index: image)
            return weights(images.rows(image..<image + 1), patch: patch).map { weight in
                let uniform = min(max(random.uniform(), 1e-9), 1 - 1e-9)
                return Float(-(log(weight) - log(-log(uniform))))
            }
        }
        return PatchMask(noise: noise, patchCount: patchCount, keptCount: keptCount)
    }

    /// How much each patch shows: the deviation of its green samples, and how far their mean is from that of most.
    private static func weights(_ image: Tensor, patch: Int) -> [Double] {
        let (height, width) = (image.shape[2], image.shape[3])
        let green = Array(image.values[height * width..<2 * height * width])
        var statistics: [(mean: Double, deviation: Double)] = []
        for top in stride(from: 0, to: height, by: patch) {
            for left in stride(from: 0, to: width, by: patch) {
                var (sum, squares) = (0.0, 0.0)
                for row in top..<top + patch {
                    for column in left..<left + patch {
                        let value = Double(green[row * width + column])
                        sum += value
                        squares += value * value
                    }
                }
                let mean = sum / Double(patch * patch)
                let variance = max(0, squares / Double(patch * patch) - mean * mean)
                statistics.append((mean, variance.squareRoot()))
            }
        }
        let paper = statistics.map(\.mean).sorted()[statistics.count / 2]
        return statistics.map { $0.deviation + 0.4 * abs($0.mean - paper) + 0.03 }
    }
}
