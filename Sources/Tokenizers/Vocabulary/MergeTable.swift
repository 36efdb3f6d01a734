/// The pairs of tokens that byte-pair encoding joins.
struct MergeTable: Sendable {
    /// What a pair becomes, and when: the lowest rank first.
    struct Merge: Sendable, Equatable {
        var rank: Int32
        var token: Int32
    }

    private static let empty = UInt64.max
    private var keys: [UInt64]
    private var merges: [Merge]
    private(set) var count = 0

    init(capacity: Int = 0) {
        var size = 64
        while size < capacity * 2 { size *= 2 }
        keys = [UInt64](repeating: Self.empty, count: size)
        merges = [Merge](repeating: Merge(rank: 0, token: 0), count: size)
    }

    @inline(__always)
    private static func key(_ first: Int32, _ second: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: first)) << 32 | UInt64(UInt32(bitPattern: second))
    }

    @inline(__always)
    private func slot(_ key: UInt64) -> Int {
        let mask = keys.count - 1
        var slot = Int(truncatingIfNeeded: mixed(key)) & mask
        while keys[slot] != key, keys[slot] != Self.empty { slot = (slot + 1) & mask }
        return slot
    }

    /// The merge of two tokens, where there is one.
    @inline(__always)
    subscript(_ first: Int32, _ second: Int32) -> Merge? {
        let key = Self.key(first, second)
        let slot = slot(key)
        return keys[slot] == key ? merges[slot] : nil
    }

    /// Adds a merge, in the place of an earlier one of the same pair. Ids are 0 or more.
    mutating func insert(_ first: Int32, _ second: Int32, _ merge: Merge) {
        if count * 2 >= keys.count { grow() }
        let key = Self.key(first, second)
        let slot = slot(key)
        if keys[slot] == Self.empty {
            keys[slot] = key
            count += 1
        }
        merges[slot] = merge
    }

    private mutating func grow() {
        let (oldKeys, oldMerges) = (keys, merges)
        keys = [UInt64](repeating: Self.empty, count: oldKeys.count * 2)
        merges = [Merge](repeating: Merge(rank: 0, token: 0), count: oldKeys.count * 2)
        for (key, merge) in zip(oldKeys, oldMerges) where key != Self.empty {
            let slot = slot(key)
            keys[slot] = key
            merges[slot] = merge
        }
    }
}
