import Compute
import Randomness

/// Stochastic depth: the residual branches of which images a step leaves out, drawn anew for each (Huang et al. 2016).
///
/// As in timm, the branches that stay are scaled by 1 / (1 − rate).
package struct DropPath: Sendable {
    /// For each block the probability that a branch is dropped: from 0 in the first one rising evenly to the rate.
    package let rates: [Double]
    /// For each block and branch a factor for each image (B).
    package let scales: [[Tensor]]
    private let imageCount: Int

    /// Nothing is dropped until `draw`.
    package init(rate: Double, depth: Int, imageCount: Int) {
        rates = (0..<depth).map { depth == 1 ? 0 : rate * Double($0) / Double(depth - 1) }
        self.imageCount = imageCount
        let ones = [Float](repeating: 1, count: imageCount)
        scales = (0..<depth).map { _ in (0..<2).map { _ in Tensor(ones, shape: [imageCount]) } }
    }

    /// Draws for the images from number `first` of step `step` on. An image's numbers depend on the seed, the step and
    /// its place in the step alone.
    package func draw(seed: UInt64, step: Int, first: Int) {
        let branchCount = 2 * rates.count
        var drawn = [Float](repeating: 0, count: imageCount * branchCount)
        for image in 0..<imageCount {
            var random = CounterRandom(seed: seed, purpose: .dropPath, epoch: step, index: first + image)
            for branch in 0..<branchCount {
                let rate = rates[branch / 2]
                drawn[branch * imageCount + image] = random.uniform() >= rate ? Float(1 / (1 - rate)) : 0
            }
        }
        for (branch, scale) in scales.joined().enumerated() {
            scale.assign(Array(drawn[branch * imageCount..<(branch + 1) * imageCount]))
        }
    }
}
