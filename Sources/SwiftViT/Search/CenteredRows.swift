/// The vectors of a collection, scaled to length 1, less their mean.
///
/// All vectors of a model share a direction, more so in one model than in another: what two images have in common shows
/// only without it.
package struct CenteredRows: VectorRows {
    /// The number of vectors from which their mean says something about the model rather than about themselves; fewer are
    /// not centred.
    package static let smallestSet = 20

    private let whole: any VectorRows
    /// What makes each vector one of length 1: 0 for a vector of zeros, NaN for one that is not finite.
    private let scales: [Float]
    private let mean: [Float]
    /// The rows that are not finite; they are similar to nothing.
    package let notFinite: [Int]

    package init(_ whole: any VectorRows) {
        self.whole = whole
        var scales = [Float](repeating: 0, count: whole.rows)
        var sum = [Double](repeating: 0, count: whole.columns)
        var (notFinite, count): ([Int], Int) = ([], 0)
        for row in 0..<whole.rows {
            let vector = whole[row]
            let square = vector.reduce(0) { $0 + Double($1) * Double($1) }
            guard square.isFinite else {
                notFinite.append(row)
                scales[row] = .nan
                continue
            }
            guard square > 0 else { continue }
            let scale = 1 / square.squareRoot()
            scales[row] = Float(scale)
            count += 1
            for column in sum.indices { sum[column] += Double(vector[column]) * scale }
        }
        let mean = sum.map { $0 / Double(max(count, 1)) }
        // The mean square of the distances to the mean: of vectors that are all the same, nothing would be left.
        let spread = 1 - mean.reduce(0) { $0 + $1 * $1 }
        let isCentered = count >= Self.smallestSet && spread > 1e-9
        self.mean = isCentered ? mean.map(Float.init) : [Float](repeating: 0, count: mean.count)
        (self.scales, self.notFinite) = (scales, notFinite)
    }

    package var rows: Int { whole.rows }
    package var columns: Int { whole.columns }

    package subscript(row: Int) -> [Float] {
        let scale = scales[row]
        return zip(whole[row], mean).map { scale == 0 ? 0 : $0 * scale - $1 }
    }

    package func copy(_ range: Range<Int>, into target: inout MutableSpan<Float>) {
        whole.copy(range, into: &target)
        for (index, row) in range.enumerated() where scales[row] != 0 {
            let (start, scale) = (index * columns, scales[row])
            for column in mean.indices { target[start + column] = target[start + column] * scale - mean[column] }
        }
    }

    package func release(_ range: Range<Int>) { whole.release(range) }

    /// The cosine of the angle between two vectors; 0 if one of them is zeros.
    package func cosine(_ row: Int, _ other: Int) -> Float {
        var (product, first, second) = (0.0, 0.0, 0.0)
        for (x, y) in zip(self[row], self[other]) {
            product += Double(x) * Double(y)
            first += Double(x) * Double(x)
            second += Double(y) * Double(y)
        }
        let lengths = (first * second).squareRoot()
        return lengths > 0 ? Float(product / lengths) : 0
    }
}
