/// What `ftfy` does to the bytes of a text in a wrong encoding, before it reads them as UTF-8.
///
/// Source: R. Speer, ftfy 6.3 (Apache 2.0), https://ftfy.readthedocs.io/en/latest/fixes.html.
enum ByteRepair {
    // MARK: Spaces for 0xA0

    /// The bytes with 0xA0 in the place of spaces that break a sequence of UTF-8.
    ///
    /// A program that took byte 0xA0, the space that breaks no line, for a common space has made them of it.
    static func restoreSpaces(_ bytes: [UInt8]) -> [UInt8] {
        guard replace(spaced, in: bytes, by: Array.init) != nil else { return bytes }
        let words = restoreWordA(bytes)
        return replace(spaced, in: words) { $0.map { $0 == space ? 0xA0 : $0 } } ?? words
    }

    private static let space = UInt8(ascii: " ")

    /// Sequences with a space for 0xA0, those alone that make likely characters.
    private static let spaced: [[ByteSet]] = {
        let blank = ByteSet(space)
        // 0x85 was an ellipsis to such programs, and 0xA0 is what is looked for.
        let plain = ByteSet(0x80...0x84, 0x86...0x9F, 0xA1...0xBF)
        return [
            [ByteSet(0xC2, 0xC3, 0xC5, 0xCE, 0xD0, 0xD9), blank],
            [ByteSet(0xE2, 0xE3), blank, plain],
            [ByteSet(0xE0...0xE3), plain, blank],
            [ByteSet(0xF0), blank, continuation, continuation],
            [ByteSet(0xF0), continuation, blank, continuation],
            [ByteSet(0xF0), continuation, continuation, blank],
        ]
    }()

    /// `à` is mostly a word by itself, whose space is then wanted too; not in what Portuguese contracts with it.
    private static func restoreWordA(_ bytes: [UInt8]) -> [UInt8] {
        let contracted = [" ", "quele", "quela", "quilo", "s "].map { Array($0.utf8) }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for (index, byte) in bytes.enumerated() {
            if byte == space, index > 0, bytes[index - 1] == 0xC3,
                !contracted.contains(where: { bytes[(index + 1)...].starts(with: $0) })
            {
                result.append(0xA0)
            }
            result.append(byte)
        }
        return result
    }

    // MARK: Lost bytes

    /// The bytes with U+FFFD for each sequence of UTF-8 of which some bytes were lost.
    ///
    /// 0x1A stands for a byte that became U+FFFD; a question mark may, once a sequence.
    static func markLost(_ bytes: [UInt8]) -> [UInt8] {
        replace(lossy, in: bytes) { _ in [0xEF, 0xBF, 0xBD] } ?? bytes
    }

    private static let lossy: [[ByteSet]] = {
        let lost = ByteSet(substitute)
        let mark = ByteSet(substitute, UInt8(ascii: "?"))
        let open = ByteSet(substitute...substitute, 0x80...0xBF)
        let any = ByteSet(substitute...substitute, 0x3F...0x3F, 0x80...0xBF)
        let surrogate = ByteSet(0xED)
        let (high, low) = (ByteSet(0xA0...0xAF), ByteSet(0xB0...0xBF))
        let ofThree = ByteSet(0xE0...0xEF)
        let ofFour = ByteSet(0xF0...0xF4)
        return [
            [ByteSet(0xC2...0xDF), lost],
            [ByteSet(0xC2, 0xC3), ByteSet(UInt8(ascii: "?"))],
            [surrogate, high, mark, surrogate, low, any],
            [surrogate, high, any, surrogate, low, mark],
            [ofThree, mark, open],
            [ofThree, open, mark],
            [ofFour, mark, open, open],
            [ofFour, open, mark, open],
            [ofFour, open, open, mark],
            [lost],
        ]
    }()

    // MARK: Sequences of bytes

    private static let continuation = ByteSet(0x80...0xBF)

    /// The bytes with every match of a pattern replaced, the first pattern first; nil where there is none.
    private static func replace(
        _ patterns: [[ByteSet]], in bytes: [UInt8], by replacement: (ArraySlice<UInt8>) -> [UInt8]
    ) -> [UInt8]? {
        var result: [UInt8] = []
        var copied = 0
        var position = 0
        while position < bytes.count {
            let rest = bytes[position...]
            let pattern = patterns.first { pattern in
                pattern.count <= rest.count && zip(pattern, rest).allSatisfy { $0.contains($1) }
            }
            guard let pattern else {
                position += 1
                continue
            }
            result += bytes[copied..<position] + replacement(rest.prefix(pattern.count))
            position += pattern.count
            copied = position
        }
        return copied == 0 ? nil : result + bytes[copied...]
    }
}
