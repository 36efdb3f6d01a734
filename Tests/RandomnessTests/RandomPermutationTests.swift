import Testing

import Randomness

@Suite struct RandomPermutationTests {
    @Test(arguments: [0, 1, 2, 3, 5, 16, 17, 100, 1000, 4097])
    func everyElementComesOnce(count: Int) {
        for epoch in 0..<3 {
            let order = RandomPermutation(count: count, seed: 5, epoch: epoch)
            #expect((0..<count).map { order[$0] }.sorted() == Array(0..<count))
        }
    }

    @Test func orderBelongsToSeedAndEpoch() {
        func order(_ seed: UInt64, _ epoch: Int) -> [Int] {
            let permutation = RandomPermutation(count: 50, seed: seed, epoch: epoch)
            return (0..<50).map { permutation[$0] }
        }
        #expect(order(1, 1) == order(1, 1))
        #expect(order(1, 1) != order(1, 2))
        #expect(order(1, 1) != order(2, 1))
    }

    @Test func allOrdersAreAboutEquallyLikely() {
        var counts: [[Int]: Int] = [:]
        for epoch in 0..<24_000 {
            let order = RandomPermutation(count: 4, seed: 9, epoch: epoch)
            counts[(0..<4).map { order[$0] }, default: 0] += 1
        }
        #expect(counts.count == 24)
        // Five standard deviations of a count with mean 1000.
        #expect(counts.values.allSatisfy { abs($0 - 1000) < 160 })
    }

    @Test func hugeRangesWork() {
        let order = RandomPermutation(count: 1 << 40, seed: 0, epoch: 0)
        let some = (0..<1000).map { order[$0] }
        #expect(Set(some).count == 1000)
        #expect(some.allSatisfy { $0 >= 0 && $0 < 1 << 40 })
    }

    @Test func stableHashKeepsItsValues() {
        var hash = StableHash()
        hash.combine("a/b.png".utf8)
        var parts = StableHash()
        parts.combine("a/".utf8)
        parts.combine("b.png".utf8)
        #expect(hash.value == parts.value)
        // FNV-1a of "a" is AF63DC4C8601EC8C; the finaliser is SplitMix64's.
        var letter = StableHash()
        letter.combine("a".utf8)
        #expect(letter.value == StableHash.mix(0xAF63_DC4C_8601_EC8C))
        // SplitMix64 with seed 0 begins so.
        #expect(StableHash.mix(0x9E37_79B9_7F4A_7C15) == 0xE220_A839_7B1D_CDAF)
        #expect(StableHash(seed: 1).value != StableHash(seed: 2).value)
    }
}
