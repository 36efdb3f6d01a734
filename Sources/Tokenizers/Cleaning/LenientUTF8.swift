/// The text of bytes in UTF-8, or in what passes for it: pairs of surrogates, three bytes each (CESU-8), and C0 80 for
/// the character of code 0, as Java has it. Nil where they are neither.
///
/// Source: R. Speer, ftfy 6.3 (Apache 2.0), its codec `utf-8-variants`.
func decodeLenientUTF8(_ bytes: [UInt8]) -> Text? {
    var text = Text()
    text.reserveCapacity(bytes.count)
    var position = 0
    while position < bytes.count {
        guard let (scalar, length) = scalar(bytes[position...]) else { return nil }
        text.append(scalar)
        position += length
    }
    return text
}

/// The first character of bytes, of which there are some, and how many are its own.
private func scalar(_ bytes: ArraySlice<UInt8>) -> (Unicode.Scalar, length: Int)? {
    let start = bytes.startIndex
    let first = bytes[start]
    func bits(_ offset: Int) -> UInt32 { UInt32(bytes[start + offset] & 0x3F) }
    if first < 0x80 { return (Unicode.Scalar(first), 1) }
    // The codec searches with a pattern whose end matches before a last line feed too.
    let isLastLineFeed = bytes.last == 0x0A
    if first == 0xC0, bytes.count >= 2, bytes[start + 1] == 0x80 || bytes.count == 2 && isLastLineFeed {
        return ("\0", 2)
    }
    if first == 0xED, bytes.count >= 6, bytes[start + 1] & 0xF0 == 0xA0, bytes[start + 2] & 0xC0 == 0x80,
        bytes[start + 3] == 0xED, bytes[start + 4] & 0xF0 == 0xB0,
        bytes[start + 5] & 0xC0 == 0x80 || bytes.count == 6 && isLastLineFeed
    {
        let pair = UInt32(bytes[start + 1] & 0xF) << 16 | bits(2) << 10 | UInt32(bytes[start + 4] & 0xF) << 6 | bits(5)
        return Unicode.Scalar(pair + 0x10000).map { ($0, 6) }
    }
    let (length, least): (Int, UInt32) =
        switch first {
        case 0xC2...0xDF: (2, 0x80)
        case 0xE0...0xEF: (3, 0x800)
        case 0xF0...0xF4: (4, 0x10000)
        default: (0, 0)
        }
    guard length > 0, bytes.count >= length else { return nil }
    var value = UInt32(first) & (0x7F >> UInt32(length))
    for offset in 1..<length {
        guard bytes[start + offset] & 0xC0 == 0x80 else { return nil }
        value = value << 6 | bits(offset)
    }
    return value < least ? nil : Unicode.Scalar(value).map { ($0, length) }
}
