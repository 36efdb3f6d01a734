import Testing

import Randomness

@Suite struct PhiloxTests {
    /// The known answers that the authors of Random123 publish for philox4x32-10.
    @Test func knownAnswers() {
        let ones = UInt32.max
        let answers: [(SIMD4<UInt32>, SIMD2<UInt32>, SIMD4<UInt32>)] = [
            (SIMD4(), SIMD2(), SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)),
            (
                SIMD4(repeating: ones), SIMD2(repeating: ones),
                SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
            ),
            (
                SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), SIMD2(0xa409_3822, 0x299f_31d0),
                SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
            ),
        ]
        for (counter, key, expected) in answers {
            #expect(Philox.block(counter: counter, key: key) == expected)
        }
    }

    @Test func streamsAreFunctionsOfTheirNames() {
        func first(_ seed: UInt64, _ purpose: CounterRandom.Purpose, _ epoch: Int, _ index: Int) -> [UInt64] {
            var random = CounterRandom(seed: seed, purpose: purpose, epoch: epoch, index: index)
            return (0..<5).map { _ in random.next() }
        }
        let base = first(1, .augmentation, 2, 3)
        #expect(base == first(1, .augmentation, 2, 3))
        #expect(Set(base).count == 5)
        for other in [
            first(2, .augmentation, 2, 3), first(1 << 32 | 1, .augmentation, 2, 3), first(1, .masking, 2, 3),
            first(1, .augmentation, 3, 3), first(1, .augmentation, 2, 4), first(1, .augmentation, 3, 2),
        ] {
            #expect(Set(base).isDisjoint(with: other))
        }
    }

    @Test func distributionsHaveTheirMoments() {
        var random = CounterRandom(seed: 7, purpose: .synthetic)
        let count = 200_000
        let uniform = (0..<count).map { _ in random.uniform() }
        #expect(uniform.allSatisfy { $0 >= 0 && $0 < 1 })
        #expect(abs(uniform.reduce(0, +) / Double(count) - 0.5) < 0.003)
        let floats = (0..<count).map { _ in random.uniformFloat() }
        #expect(floats.allSatisfy { $0 >= 0 && $0 < 1 })
        #expect(abs(floats.reduce(0) { $0 + Double($1) } / Double(count) - 0.5) < 0.003)
        let normal = (0..<count).map { _ in random.normal() }
        #expect(abs(normal.reduce(0, +) / Double(count)) < 0.01)
        #expect(abs(normal.reduce(0) { $0 + $1 * $1 } / Double(count) - 1) < 0.02)
        let truncated = (0..<count).map { _ in random.truncatedNormal() }
        #expect(truncated.allSatisfy { abs($0) <= 2 })
        // The variance of a normal variable cut off at two deviations.
        #expect(abs(truncated.reduce(0) { $0 + $1 * $1 } / Double(count) - 0.7737) < 0.01)
        let heads = (0..<count).count { _ in random.isTrue(probability: 0.3) }
        #expect(abs(Double(heads) / Double(count) - 0.3) < 0.005)
    }

    @Test func integersAreUniform() {
        var random = CounterRandom(seed: 3, purpose: .synthetic)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[random.integer(below: 7)] += 1 }
        #expect(counts.allSatisfy { abs($0 - 10_000) < 450 })
        #expect(random.integer(below: 1) == 0)
        // With a bound near 2⁶³ a careless method would reach only half of the range.
        let large = (0..<64).map { _ in random.integer(below: Int.max) }
        #expect(large.contains { $0 > Int.max / 2 } && large.contains { $0 < Int.max / 2 })
    }
}
