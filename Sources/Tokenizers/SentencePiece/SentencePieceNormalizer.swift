/// What SentencePiece makes of a text before it cuts it into tokens, as its own library does.
struct SentencePieceNormalizer: Sendable {
    var map: CharacterMap?
    /// Whether a space is put before the text.
    var addsPrefix = true
    /// Whether that space goes to the end instead.
    var marksEnds = false
    var removesExtraSpaces = true
    /// Whether spaces become `▁`.
    var showsSpaces = true
    /// Symbols that stay as they are.
    private var kept: [ArraySlice<UInt8>] = []

    mutating func keep(_ symbol: ArraySlice<UInt8>) {
        kept.append(symbol)
        kept.sort { $0.count > $1.count }
    }

    private static let space = UInt8(ascii: " ")
    private static let visibleSpace: [UInt8] = [0xE2, 0x96, 0x81]

    func normalize(_ input: [UInt8]) -> [UInt8] {
        var position = 0
        if removesExtraSpaces {
            while position < input.count {
                let (replacement, length) = prefix(input, position)
                guard replacement.elementsEqual([Self.space]) else { break }
                position += length
            }
        }
        guard position < input.count else { return [] }
        let space = showsSpaces ? Self.visibleSpace : [Self.space]
        var output: [UInt8] = []
        output.reserveCapacity(input.count * 2)
        if addsPrefix, !marksEnds { output += space }
        var followsSpace = removesExtraSpaces
        while position < input.count {
            var (replacement, length) = prefix(input, position)
            while followsSpace, replacement.first == Self.space { replacement.removeFirst() }
            if let last = replacement.last {
                for byte in replacement {
                    if byte == Self.space { output += space } else { output.append(byte) }
                }
                followsSpace = last == Self.space
            }
            position += length
            if !removesExtraSpaces { followsSpace = false }
        }
        if removesExtraSpaces {
            while output.suffix(space.count).elementsEqual(space) { output.removeLast(space.count) }
        }
        if addsPrefix, marksEnds { output += space }
        return output
    }

    /// What the text at `position` begins with becomes, and how many bytes it takes.
    private func prefix(_ input: [UInt8], _ position: Int) -> (ArraySlice<UInt8>, Int) {
        for symbol in kept where input[position...].starts(with: symbol) { return (symbol, symbol.count) }
        if let map, let (replacement, length) = map.longest(input.span.extracting(position..<input.count)) {
            return (replacement, length)
        }
        let byte = input[position]
        let length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
        let end = min(position + length, input.count)
        return (input[position..<end], end - position)
    }
}
