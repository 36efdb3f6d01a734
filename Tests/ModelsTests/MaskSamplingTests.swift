import Randomness
import Support
import Testing

import Models

@Suite struct MaskSamplingTests {
    private func mask(_ sampling: MaskSampling, grid: Size, kept: Int, images: Int = 1) -> PatchMask {
        let noise = sampling.noise(imageCount: images, grid: grid, keptCount: kept, seed: 3, epoch: 5)
        return PatchMask(noise: noise, patchCount: grid.height * grid.width, keptCount: kept)
    }

    @Test func gridKeepsOneOfEveryFour() {
        let mask = self.mask(.grid, grid: Size(square: 14), kept: 49)
        for place in 0..<196 {
            let isCorner = place / 14 % 2 == 0 && place % 14 % 2 == 0
            #expect(mask.removed[place] == (isCorner ? 0 : 1))
        }
    }

    @Test func gridKeepsACheckerboardAtOneHalf() {
        let mask = self.mask(.grid, grid: Size(square: 8), kept: 32)
        for place in 0..<64 { #expect(mask.removed[place] == ((place / 8 + place % 8) % 2 == 0 ? 0 : 1)) }
    }

    @Test func blocksHangTogether() {
        let grid = Size(square: 14)
        let mask = self.mask(.block, grid: grid, kept: 98, images: 20)
        let random = self.mask(.random, grid: grid, kept: 98, images: 20)
        // Neighbours that are both removed or both kept.
        func alike(_ mask: PatchMask) -> Int {
            let removed = mask.removed
            let pairs = (0..<20 * 196).filter { $0 % 14 != 13 }
            return pairs.filter { removed[$0] == removed[$0 + 1] }.count
        }
        let pairs = 20 * 14 * 13
        #expect(alike(mask) > pairs * 8 / 10)
        #expect(abs(alike(random) - pairs / 2) < pairs / 20)
    }

    @Test(arguments: MaskSampling.allCases, [1, 10, 48])
    func everyImageKeepsAsMany(sampling: MaskSampling, kept: Int) {
        let mask = self.mask(sampling, grid: Size(height: 7, width: 7), kept: kept, images: 6)
        for image in 0..<6 {
            #expect(mask.removed[image * 49..<(image + 1) * 49].reduce(0, +) == Float(49 - kept))
        }
    }

    @Test func anImageHasItsOwnMaskWhateverTheBatch() {
        let grid = Size(square: 4)
        for sampling in MaskSampling.allCases {
            let all = sampling.noise(imageCount: 6, grid: grid, keptCount: 4, seed: 1, epoch: 2)
            let rest = sampling.noise(imageCount: 2, grid: grid, keptCount: 4, seed: 1, epoch: 2, first: 4)
            #expect(Array(all.suffix(32)) == rest)
        }
    }
}
