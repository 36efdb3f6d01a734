extension OneDNNEngine {
    /// Rows of a product with packed weights that one task computes, so that few threads and many get equal shares.
    ///
    /// oneDNN's kernel takes six rows at a time and this package's twelve; the sizes are multiples of that.
    static func rowsPerTask(rowCount: Int, longest: Int = 60) -> Int {
        var best = (size: rowsPerTask, cost: Double.infinity)
        for size in stride(from: longest, through: 36, by: -12) {
            let cost = [2, 4].reduce(0.0) { cost, threads in
                cost + Double(threads * longestShare(rowCount: rowCount, size: size, threads: threads))
            }
            if cost < best.cost { best = (size, cost) }
        }
        return best.size
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

    /// Rows of the thread that gets most of them.
    private static func longestShare(rowCount: Int, size: Int, threads: Int) -> Int {
        let (whole, rest) = (rowCount / size, rowCount % size)
        let rounds = whole / threads
        return whole % threads == 0 ? rounds * size + rest : (rounds + 1) * size
    }
}
