import LibC
import Randomness
import Support

/// How the patches that are removed are drawn (He et al. 2022, section 4.1 and figure 6).
///
/// Each way gives a number to every patch; those with the smallest numbers stay, so any mask ratio works and every
/// image keeps as many.
public enum MaskSampling: String, Sendable, Hashable, Codable, CaseIterable {
    /// Every patch alike.
    case random
    /// Large blocks are removed (Bao et al. 2022, BEiT, algorithm 1).
    case block
    /// A regular pattern is kept: at a ratio of 0.75 one of every four patches.
    case grid

    /// A number for each patch of one image, row by row.
    package func noise(grid: Size, keptCount: Int, random: inout CounterRandom) -> [Float] {
        switch self {
        case .random: (0..<grid.height * grid.width).map { _ in random.uniformFloat() }
        case .block: Self.blocks(grid, keptCount: keptCount, random: &random)
        case .grid: Self.pattern(grid)
        }
    }

    /// The noise of a whole batch (B, L): image i draws from the stream `first + i` of `epoch`.
    package func noise(
        imageCount: Int, grid: Size, keptCount: Int, seed: UInt64, epoch: Int, first: Int = 0
    ) -> [Float] {
        (0..<imageCount).flatMap { image in
            var random = CounterRandom(seed: seed, purpose: .masking, epoch: epoch, index: first + image)
            return noise(grid: grid, keptCount: keptCount, random: &random)
        }
    }

    /// Blocks of at least 16 patches (or what is left to remove) with proportions from 0.3 to 1/0.3 are put anywhere
    /// until enough is covered; what is covered first is removed first, and the last block loses its first rows.
    private static func blocks(_ grid: Size, keptCount: Int, random: inout CounterRandom) -> [Float] {
        let patchCount = grid.height * grid.width
        var noise = [Float](repeating: 0, count: patchCount)
        var missing = patchCount - keptCount
        var order = Float(patchCount)
        while missing > 0 {
            let area = random.uniform(Double(min(16, missing)), Double(max(16, missing)))
            let aspect = exp(random.uniform(log(0.3), -log(0.3)))
            let height = min(grid.height, max(1, Int((area * aspect).squareRoot().rounded())))
            let width = min(grid.width, max(1, Int((area / aspect).squareRoot().rounded())))
            let top = random.integer(below: grid.height - height + 1)
            let left = random.integer(below: grid.width - width + 1)
            for row in top..<top + height {
                for column in left..<left + width where noise[row * grid.width + column] == 0 {
                    noise[row * grid.width + column] = order
                    missing -= 1
                }
            }
            order += 1
        }
        // The first block covered has the largest number; of equals, the patch that comes first stays.
        return noise.map { $0 == 0 ? 0 : 2 * Float(patchCount) + order - $0 }
    }

    /// The ranks of an ordered dither (Bayer 1973): first the patches in even rows and columns, then those that halve
    /// the gaps, and so on.
    private static func pattern(_ grid: Size) -> [Float] {
        (0..<grid.height).flatMap { row in
            (0..<grid.width).map { column in
                var rank = 0
                for bit in 0..<11 {
                    let (r, c) = (row >> bit & 1, column >> bit & 1)
                    rank = rank << 2 | (r ^ c) << 1 | r
                }
                return Float(rank)
            }
        }
    }
}
