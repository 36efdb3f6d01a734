/// The tokens that stand around those of every text.
struct SpecialTokens: Sendable, Equatable {
    var before: [Int32] = []
    var behind: [Int32] = []

    var count: Int { before.count + behind.count }

    /// These around others.
    func around(_ inner: SpecialTokens) -> SpecialTokens {
        SpecialTokens(before: before + inner.before, behind: inner.behind + behind)
    }
}

/// How a list of tokens is brought to a length.
struct Fitting: Sendable, Equatable {
    /// Where tokens are cut off or filled in.
    enum Side: String, Sendable { case left, right }

    var truncation = Side.right
    var padding = Side.right
    var padToken: Int32 = 0
    /// The length that the checkpoint was trained with, where it says so.
    var length: Int?

    /// The tokens of a text, special ones around them, in exactly `length` places.
    func fit(_ tokens: [Int32], _ special: SpecialTokens, length: Int) -> [Int32] {
        let room = max(0, length - special.count)
        let kept = truncation == .right ? tokens.prefix(room) : tokens.suffix(room)
        let whole = (special.before + kept + special.behind).prefix(length)
        let filling = [Int32](repeating: padToken, count: length - whole.count)
        return padding == .right ? whole + filling : filling + whole
    }
}
