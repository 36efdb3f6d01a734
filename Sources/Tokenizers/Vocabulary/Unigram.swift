/// A unigram language model: of all ways to cut a text into tokens, the one with the greatest sum of scores.
///
/// Source: Kudo 2018, arXiv:1804.10959; the search is that of SentencePiece's `EncodeOptimized`.
struct Unigram: Sendable {
    /// How the sums of scores are rounded, which decides between ways that are equally good.
    enum Rounding: Sendable {
        /// As `tokenizers` does.
        case double
        /// As SentencePiece does: kept as float32.
        case single
    }

    /// The tokens as their bytes, by id.
    let pieces: TokenTable
    let scores: [Double]
    var unknown: Int32?
    /// The tokens of the 256 bytes, which spell what the vocabulary lacks; nil where it has not all of them.
    var bytes: [Int32]?
    private let tree: PrefixTree
    private let unknownScore: Double
    private let rounding: Rounding

    /// - Parameter matched: the ids of the tokens that a text may hold, which control tokens are not.
    init(_ pieces: TokenTable, scores: [Double], matched: [Int32], leastScore: Double, _ rounding: Rounding) {
        self.pieces = pieces
        self.scores = scores
        self.rounding = rounding
        // What SentencePiece calls the penalty of an unknown character.
        unknownScore = Self.rounded(leastScore - 10, rounding)
        tree = PrefixTree(matched.map { (pieces[Int($0)], $0) })
    }

    private static func rounded(_ score: Double, _ rounding: Rounding) -> Double {
        rounding == .single ? Double(Float(score)) : score
    }

    /// A token of the best way: its bytes, and whether they are unknown.
    struct Piece {
        var bytes: Range<Int>
        var id: Int32
        var isUnknown: Bool
    }

    private struct Node {
        var score = 0.0
        /// Where the last token starts; -1 where no way leads here.
        var start: Int32 = -1
        var id: Int32 = -1
    }

    /// The tokens of a text, neighbouring unknown characters as one.
    func pieces(of text: [UInt8]) -> [Piece] {
        let nodes = bestWays(text)
        var pieces: [Piece] = []
        var end = text.count
        while end > 0 {
            let node = nodes[end]
            let start = Int(node.start)
            let isUnknown = node.id < 0
            if isUnknown, let last = pieces.last, last.isUnknown {
                pieces[pieces.count - 1].bytes = start..<last.bytes.upperBound
            } else {
                pieces.append(Piece(bytes: start..<end, id: node.id, isUnknown: isUnknown))
            }
            end = start
        }
        pieces.reverse()
        return pieces
    }

    private func bestWays(_ text: [UInt8]) -> [Node] {
        var nodes = [Node](repeating: Node(), count: text.count + 1)
        var start = 0
        while start < text.count {
            let scoreHere = nodes[start].score
            let length = min(Self.characterLength(text[start]), text.count - start)
            var hasCharacter = false
            func offer(_ end: Int, _ id: Int32, _ score: Double) {
                let sum = Self.rounded(score + scoreHere, rounding)
                if nodes[end].start < 0 || sum > nodes[end].score {
                    nodes[end] = Node(score: sum, start: Int32(truncatingIfNeeded: start), id: id)
                }
            }
            tree.forEachPrefix(of: text, from: start) { end, id in
                offer(end, id == unknown ? -1 : id, scores[Int(id)])
                if end - start == length { hasCharacter = true }
            }
            if !hasCharacter { offer(start + length, -1, unknownScore) }
            start += length
        }
        return nodes
    }

    /// The length of the UTF-8 character that begins with `byte`.
    private static func characterLength(_ byte: UInt8) -> Int {
        byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
    }

    /// Appends the ids of a text, as `tokenizers` does: unknown runs that are a token after all are that token.
    func encode(_ text: [UInt8], into ids: inout [Int32]) {
        for piece in pieces(of: text) {
            guard piece.isUnknown else {
                ids.append(piece.id)
                continue
            }
            if let id = pieces.id(text.span.extracting(piece.bytes)) {
                ids.append(id)
            } else if let bytes {
                for index in piece.bytes { ids.append(bytes[Int(text[index])]) }
            } else if let unknown {
                ids.append(unknown)
            }
        }
    }
}
