/// The repair of text that was decoded in a wrong encoding, as `ftfy.fix_encoding` makes it.
///
/// Source: R. Speer, ftfy 6.3 (Apache 2.0), https://ftfy.readthedocs.io/en/latest/fixes.html.
enum EncodingRepair {
    /// A step makes the text shorter, or rids it of controls: it never goes on for long.
    private static let mostSteps = 1000
    /// Parts of parts hardly occur, since a part of nothing but doubtful characters is repaired as a whole.
    private static let deepest = 32

    static func repair(_ text: Text) -> Text { repair(text, depth: 0) }

    private static func repair(_ text: Text, depth: Int) -> Text {
        var text = text
        for _ in 0..<mostSteps {
            guard let next = step(text, depth), next != text else { break }
            text = next
        }
        return text
    }

    /// The text one step nearer to what was meant; nil where nothing is wrong with it, or nothing can be done.
    private static func step(_ text: Text, _ depth: Int) -> Text? {
        guard text.looksWronglyDecoded else { return nil }
        if let whole = decodeWhole(text) { return whole }
        let parts = decodeParts(text, depth)
        if parts != text { return parts }
        return replaceControls(text)
    }

    /// The text that UTF-8 makes of the bytes that it has in the first encoding that fits.
    private static func decodeWhole(_ text: Text) -> Text? {
        for encoding in SingleByteEncoding.all {
            guard var bytes = encoding.encode(text) else { continue }
            if encoding.hasSpaceAtA0 { bytes = ByteRepair.restoreSpaces(bytes) }
            if encoding.isLenient { bytes = ByteRepair.markLost(bytes) }
            if let decoded = decodeLenientUTF8(bytes) { return decoded }
        }
        return nil
    }

    /// The text with those parts repaired that look like UTF-8, where it is of several encodings.
    private static func decodeParts(_ text: Text, _ depth: Int) -> Text {
        guard depth < deepest else { return text }
        let classes = text.map(CharacterClasses.of)
        var result = Text()
        result.reserveCapacity(text.count)
        var position = 0
        while position < text.count {
            // In the middle of something longer, a part alone would make it worse.
            let isInside = position > 0 && classes[position - 1].contains(.strictContinuation)
            let end = isInside ? position : endOfSequences(classes, position)
            if end == position {
                result.append(text[position])
                position += 1
                continue
            }
            let part = Array(text[position..<end])
            result += part.count < text.count && part.looksWronglyDecoded ? repair(part, depth: depth + 1) : part
            position = end
        }
        return result
    }

    /// Where the characters that look like sequences of UTF-8 end that begin at `start`.
    private static func endOfSequences(_ classes: [CharacterClasses], _ start: Int) -> Int {
        var end = start
        while end < classes.count {
            let following: Int
            if classes[end].contains(.firstOfTwo) {
                following = 1
            } else if classes[end].contains(.firstOfThree) {
                following = 2
            } else if classes[end].contains(.firstOfFour) {
                following = 3
            } else {
                break
            }
            let next = end + 1 + following
            guard next <= classes.count, classes[(end + 1)..<next].allSatisfy({ $0.contains(.continuation) }) else {
                break
            }
            end = next
        }
        return end
    }

    /// The text with the characters of Windows-1252 in the place of the controls U+0080 to U+009F.
    private static func replaceControls(_ text: Text) -> Text {
        text.map { 0x80...0x9F ~= $0.value ? SingleByteEncoding.windows1252.character($0.value) : $0 }
    }
}
