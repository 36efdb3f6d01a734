/// Rows divided into blocks of nearly one size, each of whole strips: a strip that is cut off takes as long as a whole one.
struct RowBlocks {
    let rowCount: Int
    let blockCount: Int
    private let stripRows: Int

    init(rowCount: Int, blockCount: Int, stripRows: Int) {
        self.rowCount = rowCount
        self.blockCount = blockCount
        self.stripRows = stripRows
    }

    private var stripCount: Int { (rowCount + stripRows - 1) / stripRows }

    /// Rows of the largest block.
    var largest: Int { min(rowCount, (stripCount + blockCount - 1) / blockCount * stripRows) }

    subscript(block: Int) -> Range<Int> {
        let (first, end) = (block * stripCount / blockCount, (block + 1) * stripCount / blockCount)
        return first * stripRows..<min(rowCount, end * stripRows)
    }
}

extension CPUEngine {
    /// Rows that go through both layers of an MLP before the next ones do.
    static let rowsPerFusedTask = 60

    /// Rows of a product with packed weights that one task computes, of each of so many groups, so that few threads and many
    /// get equal shares. What a task does first takes as long as `preparation` rows.
    ///
    /// oneDNN's kernel takes six rows at a time and this package's six or twelve; a rest takes as long as two rows more.
    static func rowsPerTask(rowCount: Int, longest: Int = 60, groupCount: Int = 1, preparation: Int = 0) -> Int {
        let fewest = max(1, (rowCount + longest - 1) / longest)
        var best = (size: longest, cost: Int.max)
        for blockCount in fewest...max(fewest, rowCount / 36) {
            let size = max(1, (rowCount + blockCount - 1) / blockCount)
            let cost = [2, 4].reduce(0) { cost, threads in
                let rounds = (groupCount * blockCount + threads - 1) / threads
                return cost + threads * rounds * ((size % 12 == 0 ? size : size + 2) + preparation)
            }
            if cost < best.cost { best = (size, cost) }
        }
        return best.size
    }

    /// Rows that one task of a loop bound by memory handles, so that few threads and many get equal shares.
    static func rowsPerTask(rowCount: Int, width: Int) -> Int {
        // Below that, threads take longer to meet than to compute.
        guard rowCount * width >= 1 << 13 else { return max(1, rowCount) }
        let longest = rowsPerTask(width: width)
        let taskCount = ((rowCount + longest - 1) / longest + 3) / 4 * 4
        return (rowCount + taskCount - 1) / taskCount
    }

    /// Queries of a head that one task handles: not too many, so that their scores stay in the core's own cache; not too few,
    /// since each task puts the keys in order, one of which takes as long as a part of a query.
    static func queriesPerTask(queryCount: Int, tokenCount: Int, heads: Int) -> Int {
        rowsPerTask(rowCount: queryCount, longest: 256, groupCount: heads, preparation: tokenCount / 24)
    }

    /// The part of a weight's gradient that one task sums up: large, since a task reads both of its sides from memory, and
    /// so that few threads and many get equal shares.
    static func gradientTile(outputs: Int, inputs: Int) -> (outputs: Int, inputs: Int) {
        // A number read from memory takes as long as so many multiply-adds.
        let readingCost = 16
        var best = (outputs: 96, inputs: 512, cost: Int.max)
        for rows in [96, 72, 48, 36, 24] {
            for columns in [512, 384, 256, 192, 128, 96, 64] {
                let (height, width) = (min(rows, outputs), min(columns, inputs))
                let taskCount = ((outputs + rows - 1) / rows) * ((inputs + columns - 1) / columns)
                let cost = [2, 4].reduce(0) { cost, threads in
                    let rounds = (taskCount + threads - 1) / threads
                    return cost + threads * rounds * (height * width + readingCost * (height + width))
                }
                if cost < best.cost { best = (rows, columns, cost) }
            }
        }
        return (best.outputs, best.inputs)
    }
}
