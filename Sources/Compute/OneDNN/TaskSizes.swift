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

    /// Rows of the thread that gets most of them.
    private static func longestShare(rowCount: Int, size: Int, threads: Int) -> Int {
        let (whole, rest) = (rowCount / size, rowCount % size)
        let rounds = whole / threads
        return whole % threads == 0 ? rounds * size + rest : (rounds + 1) * size
    }
}
