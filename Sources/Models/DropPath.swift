import Compute
import Layers
import Randomness

/// Which residual branches of which images a step leaves out (Huang et al. 2016), drawn anew for each.
package struct DropPath: Sendable {
    /// For each block the probability that a branch is dropped: from 0 in the first one rising evenly to the rate.
    package let rates: [Double]
    /// For each block what its branches are multiplied by.
    package let scales: [PathScales]
    private let imageCount: Int

    /// Nothing is dropped until `draw`.
    package init(rate: Double, depth: Int, imageCount: Int) {
        rates = (0..<depth).map { depth == 1 ? 0 : rate * Double($0) / Double(depth - 1) }
        self.imageCount = imageCount
        let ones = [Float](repeating: 1, count: imageCount)
        scales = (0..<depth).map { _ in
            PathScales(attention: Tensor(ones, shape: [imageCount]), mlp: Tensor(ones, shape: [imageCount]))
        }
    }

    /// Draws for the images from number `first` of step `step` on. An image's numbers depend on the seed, the step and
    /// its place in the step alone.
    package func draw(seed: UInt64, step: Int, first: Int) {
        for image in 0..<imageCount {
            var random = CounterRandom(seed: seed, purpose: .dropPath, epoch: step, index: first + image)
            for (rate, scales) in zip(rates, scales) {
                for scale in [scales.attention, scales.mlp] {
                    let isKept = random.uniform() >= rate
                    unsafe scale.buffer[image] = isKept ? Float(1 / (1 - rate)) : 0
                }
            }
        }
    }
}
