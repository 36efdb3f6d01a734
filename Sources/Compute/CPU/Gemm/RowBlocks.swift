/// Rows divided into blocks of nearly one size, each of whole tiles of `mr` rows: a partial tile takes as long as a whole one.
struct RowBlocks {
    let rowCount: Int
    let blockCount: Int
    let mr: Int

    private var tileCount: Int { (rowCount + mr - 1) / mr }

    /// Rows of the largest block.
    var largest: Int { min(rowCount, (tileCount + blockCount - 1) / blockCount * mr) }

    subscript(block: Int) -> Range<Int> {
        let (first, end) = (block * tileCount / blockCount, (block + 1) * tileCount / blockCount)
        return first * mr..<min(rowCount, end * mr)
    }
}
