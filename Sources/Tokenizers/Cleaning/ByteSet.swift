/// A set of bytes.
struct ByteSet: Sendable {
    private var members = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))

    init(_ ranges: ClosedRange<UInt8>...) {
        for byte in ranges.joined() { insert(byte) }
    }

    init(_ bytes: UInt8...) {
        for byte in bytes { insert(byte) }
    }

    private mutating func insert(_ byte: UInt8) {
        let bit = UInt64(1) << UInt64(byte & 63)
        switch byte >> 6 {
        case 0: members.0 |= bit
        case 1: members.1 |= bit
        case 2: members.2 |= bit
        default: members.3 |= bit
        }
    }

    func contains(_ byte: UInt8) -> Bool {
        let part =
            switch byte >> 6 {
            case 0: members.0
            case 1: members.1
            case 2: members.2
            default: members.3
            }
        return part >> UInt64(byte & 63) & 1 != 0
    }
}
