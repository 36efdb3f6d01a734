/// The SHA-1 of content (FIPS 180-4), by which git names it; it protects from damage, not from forgery.
package struct SHA1 {
    private var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]
    /// What does not fill a block yet.
    private var rest: [UInt8] = []
    private var count = 0

    package init() {}

    /// Adds the next piece.
    package mutating func add(_ piece: [UInt8]) {
        count += piece.count
        let content = rest.isEmpty ? piece : rest + piece
        var place = 0
        while content.count - place >= 64 {
            process(content[place..<place + 64])
            place += 64
        }
        rest = Array(content[place...])
    }

    /// The digest of the pieces so far in 40 hexadecimal digits.
    package var hex: String {
        var sum = self
        var end: [UInt8] = [0x80]
        end += [UInt8](repeating: 0, count: (64 + 56 - (rest.count + 1) % 64) % 64)
        for shift in stride(from: 56, through: 0, by: -8) { end.append(UInt8((count * 8) >> shift & 0xFF)) }
        sum.add(end)
        return sum.state.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    private mutating func process(_ block: ArraySlice<UInt8>) {
        var words: [UInt32] = []
        words.reserveCapacity(80)
        for place in stride(from: block.startIndex, to: block.endIndex, by: 4) {
            words.append(block[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) })
        }
        for index in 16..<80 {
            words.append(
                Self.rotate(words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16], 1))
        }
        var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
        for index in 0..<80 {
            let (mixed, constant): (UInt32, UInt32) =
                switch index {
                case 0..<20: (b & c | ~b & d, 0x5a82_7999)
                case 20..<40: (b ^ c ^ d, 0x6ed9_eba1)
                case 40..<60: (b & c | b & d | c & d, 0x8f1b_bcdc)
                default: (b ^ c ^ d, 0xca62_c1d6)
                }
            let next = Self.rotate(a, 5) &+ mixed &+ e &+ constant &+ words[index]
            (a, b, c, d, e) = (next, a, Self.rotate(b, 30), c, d)
        }
        for (index, word) in [a, b, c, d, e].enumerated() { state[index] &+= word }
    }

    private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 { word << count | word >> (32 - count) }
}
