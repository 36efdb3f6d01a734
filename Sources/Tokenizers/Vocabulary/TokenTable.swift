/// The tokens of a vocabulary and their ids, found by their bytes.
///
/// A dictionary of strings takes ten times as long to fill, and would hold letters in two Unicode forms for one.
struct TokenTable: Sendable {
    /// The bytes of all tokens, one after another.
    private var arena: [UInt8] = []
    /// Where each token starts, and where the last ends.
    private var starts: [Int32] = [0]
    private(set) var ids: [Int32] = []
    /// One more than the index of a token; 0 where there is none. A power of two of them, half of which stay empty.
    private var slots: [Int32] = [Int32](repeating: 0, count: 1024)

    /// More and longer tokens than any model has.
    static let mostTokens = 1 << 23
    static let mostBytes = 1 << 28

    var count: Int { ids.count }

    /// Adds a token; false where it is there already, or where there are too many.
    mutating func insert(_ token: borrowing Span<UInt8>, id: Int32) -> Bool {
        guard count < Self.mostTokens, arena.count + token.count <= Self.mostBytes else { return false }
        if count * 2 >= slots.count { grow() }
        let slot = self.slot(token)
        guard slots[slot] == 0 else { return false }
        for index in token.indices { arena.append(token[index]) }
        starts.append(Int32(truncatingIfNeeded: arena.count))
        ids.append(id)
        slots[slot] = Int32(truncatingIfNeeded: count)
        return true
    }

    /// The id of a token.
    func id(_ token: borrowing Span<UInt8>) -> Int32? {
        let entry = slots[slot(token)]
        return entry == 0 ? nil : ids[Int(entry) - 1]
    }

    func id(_ token: [UInt8]) -> Int32? { id(token.span) }

    func id(_ token: String) -> Int32? { id(Array(token.utf8)) }

    /// Calls `body` with the bytes of each token, in the order they were added.
    func forEach(_ body: (ArraySlice<UInt8>, Int32) -> Void) {
        for index in ids.indices { body(self[index], ids[index]) }
    }

    /// The bytes of the token that was added as number `index`.
    subscript(_ index: Int) -> ArraySlice<UInt8> { arena[Int(starts[index])..<Int(starts[index + 1])] }

    private static func hash(_ bytes: borrowing Span<UInt8>) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in bytes.indices { hash = (hash ^ UInt64(bytes[index])) &* 0x0000_0100_0000_01B3 }
        return Int(truncatingIfNeeded: mixed(hash) >> 1)
    }

    /// The slot that holds the token, or the empty one where it belongs.
    private func slot(_ token: borrowing Span<UInt8>) -> Int {
        let mask = slots.count - 1
        var slot = Self.hash(token) & mask
        while slots[slot] != 0, !equals(Int(slots[slot]) - 1, token) { slot = (slot + 1) & mask }
        return slot
    }

    private func equals(_ index: Int, _ token: borrowing Span<UInt8>) -> Bool {
        let start = Int(starts[index])
        guard Int(starts[index + 1]) - start == token.count else { return false }
        for offset in token.indices where arena[start + offset] != token[offset] { return false }
        return true
    }

    private mutating func grow() {
        slots = [Int32](repeating: 0, count: slots.count * 4)
        for index in ids.indices {
            let start = Int(starts[index])
            slots[slot(arena.span.extracting(start..<Int(starts[index + 1])))] = Int32(truncatingIfNeeded: index + 1)
        }
    }
}

/// Spreads the bits of a number, so that its lowest ones depend on all.
@inline(__always)
func mixed(_ value: UInt64) -> UInt64 {
    var value = (value ^ value >> 33) &* 0xFF51_AFD7_ED55_8CCD
    value = (value ^ value >> 33) &* 0xC4CE_B9FE_1A85_EC53
    return value ^ value >> 33
}
