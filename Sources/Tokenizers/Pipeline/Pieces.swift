/// A text in pieces, which follow one another.
struct Pieces {
    private(set) var text: Text
    /// Where each piece ends; no piece is empty.
    private(set) var ends: [Int]
    /// Whether the first piece begins where the whole text does.
    var startsText: Bool

    /// A text in one piece, or in none where it is empty.
    init(_ text: Text, startsText: Bool) {
        self.text = text
        self.startsText = startsText
        ends = text.isEmpty ? [] : [text.count]
    }

    /// No pieces yet, in the place of others.
    private init(replacing other: Pieces) {
        text = []
        text.reserveCapacity(other.text.count + other.text.count / 4)
        ends = []
        startsText = other.startsText
    }

    /// Calls `body` with the range of each piece.
    @inline(__always)
    func forEach(_ body: (Range<Int>) -> Void) {
        var start = 0
        for end in ends {
            body(start..<end)
            start = end
        }
    }

    /// Replaces each piece by those that `body` appends.
    mutating func replaceEach(_ body: (Text, Range<Int>, inout Pieces) -> Void) {
        var result = Pieces(replacing: self)
        var start = 0
        for end in ends {
            body(text, start..<end, &result)
            start = end
        }
        self = result
    }

    /// Appends a piece, unless it is empty.
    mutating func append(_ piece: ArraySlice<Unicode.Scalar>) {
        guard !piece.isEmpty else { return }
        text += piece
        ends.append(text.count)
    }

    /// Appends one character to a piece that `endPiece` ends.
    @inline(__always)
    mutating func extend(_ scalar: Unicode.Scalar) { text.append(scalar) }

    mutating func endPiece() {
        if text.count > ends.last ?? 0 { ends.append(text.count) }
    }

    /// What of the first piece was cut away, its start, no longer begins the text.
    mutating func markCut() {
        if ends.isEmpty { startsText = false }
    }
}
