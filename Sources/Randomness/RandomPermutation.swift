/// A random permutation of 0 ..< count with random access in constant time and memory.
///
/// A Feistel network of eight rounds permutes the smallest range 0 ..< 4ʰ (at least 64) that contains `count`; results
/// outside are permuted again until they are inside ("cycle walking", Black and Rogaway, 2002), on average fewer than
/// four times beyond a count of 16.
public struct RandomPermutation: Sendable {
    /// The number of elements.
    public let count: Int
    private let halfBits: UInt64
    /// One key per round; the fixed size avoids an allocation.
    private let keys: SIMD8<UInt64>

    /// The permutation of a seed and an epoch.
    public init(count: Int, seed: UInt64, epoch: Int) {
        precondition(count >= 0, "RandomPermutation: expected a count of 0 or more, got \(count)")
        self.count = count
        // With 16 elements, the network visibly favours some permutations; with 64 it does not.
        var half: UInt64 = 3
        while half < 31 && UInt64(1) << (2 * half) < UInt64(count) { half += 1 }
        precondition(count <= 1 << (2 * half), "RandomPermutation: \(count) elements are too many")
        halfBits = half
        var random = CounterRandom(seed: seed, purpose: .order, epoch: epoch)
        var keys = SIMD8<UInt64>()
        for round in 0..<8 { keys[round] = random.next() }
        self.keys = keys
    }

    /// The element at `position`.
    public subscript(position: Int) -> Int {
        precondition(
            position >= 0 && position < count, "RandomPermutation: position \(position) is outside 0..<\(count)")
        var value = UInt64(position)
        repeat { value = permuted(value) } while value >= UInt64(count)
        return Int(value)
    }

    private func permuted(_ value: UInt64) -> UInt64 {
        let mask = (UInt64(1) << halfBits) - 1
        var (left, right) = (value >> halfBits, value & mask)
        for round in 0..<8 {
            (left, right) = (right, left ^ (StableHash.mix(right ^ keys[round]) & mask))
        }
        return left << halfBits | right
    }
}
