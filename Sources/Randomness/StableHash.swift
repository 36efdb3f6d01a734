/// A 64-bit hash that is stable across runs, machines and versions, unlike Swift's `Hasher`.
///
/// FNV-1a over the bytes, then the finaliser of SplitMix64, because FNV-1a alone leaves the upper bits of short texts
/// similar. Not cryptographic: collisions are easy to construct.
package struct StableHash: Sendable {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    /// An empty hash; different seeds give unrelated hashes.
    package init(seed: UInt64 = 0) {
        if seed != 0 { combine(seed) }
    }

    /// Adds bytes, in one or several calls.
    package mutating func combine(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    }

    /// Adds the eight bytes of an integer, the lowest first.
    package mutating func combine(_ value: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            state = (state ^ (value >> shift & 0xFF)) &* 0x0000_0100_0000_01B3
        }
    }

    /// The hash of everything added.
    package var value: UInt64 { Self.mix(state) }

    /// A bijection that spreads every bit of `value` over all bits (the finaliser of SplitMix64).
    package static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
