/// The counter-based generator Philox4x32-10: 128 random bits as a pure function of a counter and a key.
///
/// Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011); the tests contain the authors'
/// known answers.
package enum Philox {
    /// The random block that belongs to `counter` under `key`.
    package static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var (counter, key) = (counter, key)
        for round in 0..<10 {
            if round > 0 { key &+= SIMD2(0x9E37_79B9, 0xBB67_AE85) }
            let product0 = UInt64(0xD251_1F53 as UInt32) &* UInt64(counter.x)
            let product1 = UInt64(0xCD9E_8D57 as UInt32) &* UInt64(counter.z)
            counter = SIMD4(
                UInt32(truncatingIfNeeded: product1 >> 32) ^ counter.y ^ key.x,
                UInt32(truncatingIfNeeded: product1),
                UInt32(truncatingIfNeeded: product0 >> 32) ^ counter.w ^ key.y,
                UInt32(truncatingIfNeeded: product0))
        }
        return counter
    }
}
