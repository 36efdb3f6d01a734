/// An encoding of one byte a character whose lower half is ASCII.
struct SingleByteEncoding: Sendable {
    /// The characters of the bytes from 0x80 on.
    private let upperHalf: Text
    private let bytes: [UInt32: UInt8]
    /// Whether bytes that the encoding leaves open stand for themselves, and the replacement character for byte 0x1A:
    /// a byte that was lost is then still seen where it was.
    let isLenient: Bool
    /// Whether a space in it may stand for byte 0xA0, which was taken for one; Mac OS Roman has a dagger there.
    let hasSpaceAtA0: Bool

    private init(_ upperHalf: Text, isLenient: Bool, hasSpaceAtA0: Bool) {
        self.upperHalf = upperHalf
        self.hasSpaceAtA0 = hasSpaceAtA0
        self.isLenient = isLenient
        var bytes: [UInt32: UInt8] = isLenient ? [0xFFFD: substitute] : [:]
        for (index, scalar) in upperHalf.enumerated() { bytes[scalar.value] = UInt8(index + 0x80) }
        self.bytes = bytes
    }

    /// The encodings that text may have been decoded in by mistake, in the order in which `ftfy` tries them.
    static let all: [SingleByteEncoding] = {
        let packed = unpackTable(EncodingTable.packed, byteCount: EncodingTable.byteCount)
        var reader = VarintReader(packed)
        return (0..<10).map { index in
            let upperHalf = (0..<128).map { _ in Unicode.Scalar(reader.next()) ?? "\u{FFFD}" }
            return SingleByteEncoding(upperHalf, isLenient: windows.contains(index), hasSpaceAtA0: index != macintosh)
        }
    }()

    static var latin1: SingleByteEncoding { all[0] }
    static var windows1252: SingleByteEncoding { all[1] }

    /// Which of them are Windows', and which is the Macintosh's.
    private static let windows = 1...6
    private static let macintosh = 8

    /// The character of a byte from 0x80 on.
    func character(_ value: UInt32) -> Unicode.Scalar { upperHalf[Int(value & 0x7F)] }

    /// The bytes of a text; nil where the encoding lacks one of its characters.
    func encode(_ text: Text) -> [UInt8]? {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(text.count)
        for scalar in text {
            let value = scalar.value
            if value < 0x80, !isLenient || value != UInt32(substitute) {
                encoded.append(UInt8(truncatingIfNeeded: value))
            } else if let byte = bytes[value] {
                encoded.append(byte)
            } else {
                return nil
            }
        }
        return encoded
    }
}

/// The byte that stands for a lost one, ASCII's SUB.
let substitute: UInt8 = 0x1A
