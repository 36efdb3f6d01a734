/// The characters that one place of a regular expression accepts.
struct CharacterSet: Sendable {
    /// A bit each for the 128 characters of ASCII.
    private var low: (UInt64, UInt64) = (0, 0)
    private var ranges: [ClosedRange<UInt32>] = []
    private var kinds: [(kind: ScalarKind, isNegated: Bool)] = []
    private var isNegated = false

    /// Every character but a line feed.
    static let anything: CharacterSet = {
        var set = CharacterSet(["\n"])
        set.negate()
        return set
    }()

    init(_ scalars: [Unicode.Scalar] = []) {
        for scalar in scalars { insert(scalar.value...scalar.value) }
    }

    init(_ kind: ScalarKind, isNegated: Bool = false) { insert(kind, isNegated: isNegated) }

    mutating func insert(_ range: ClosedRange<UInt32>) {
        for value in range.clamped(to: 0...127) where range.contains(value) { setLow(value) }
        if range.upperBound > 127 { ranges.append(range) }
    }

    mutating func insert(_ kind: ScalarKind, isNegated: Bool = false) {
        for value in UInt32(0)..<128 {
            if let scalar = Unicode.Scalar(value), kind.contains(scalar) != isNegated { setLow(value) }
        }
        kinds.append((kind, isNegated))
    }

    mutating func negate() {
        low = (~low.0, ~low.1)
        isNegated.toggle()
    }

    /// Adds the other case of each letter of ASCII, and the two letters that fold to one.
    mutating func ignoreCase() {
        for value in UInt32(0x41)...0x5A where hasLow(value) != hasLow(value | 0x20) {
            setLow(value)
            setLow(value | 0x20)
        }
        if hasLow(0x73) { insert(0x17F...0x17F) }
        if hasLow(0x6B) { insert(0x212A...0x212A) }
    }

    private func hasLow(_ value: UInt32) -> Bool { (value < 64 ? low.0 : low.1) >> (value & 63) & 1 != 0 }

    private mutating func setLow(_ value: UInt32) {
        if value < 64 { low.0 |= 1 << value } else { low.1 |= 1 << (value - 64) }
    }

    @inline(__always)
    func contains(_ scalar: Unicode.Scalar) -> Bool {
        let value = scalar.value
        if value < 128 { return (value < 64 ? low.0 : low.1) &>> UInt64(value & 63) & 1 != 0 }
        return containsHigh(scalar)
    }

    private func containsHigh(_ scalar: Unicode.Scalar) -> Bool {
        for range in ranges where range.contains(scalar.value) { return !isNegated }
        for (kind, isOutside) in kinds where kind.contains(scalar) != isOutside { return !isNegated }
        return isNegated
    }
}
