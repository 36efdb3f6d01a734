import Randomness

/// The projection of vectors onto their first two principal components.
package struct PrincipalPlane {
    /// The projected vectors (n, 2).
    package let points: [(x: Double, y: Double)]

    private static let rounds = 30

    /// By orthogonal iteration on the covariance (Golub and Van Loan, section 8.2), from a fixed start; `row` returns the
    /// vectors, each of which is normalised first.
    package init(count: Int, width: Int, row: (Int) -> [Float]) {
        let mean = Self.mean(count: count, width: width, row: row)
        func centred(_ index: Int) -> [Double] {
            let vector = Self.unit(row(index))
            return (0..<width).map { vector[$0] - mean[$0] }
        }
        var random = CounterRandom(seed: 0, purpose: .synthetic, index: 1)
        var axes = (0..<2).map { _ in (0..<width).map { _ in Double.random(in: -1...1, using: &random) } }
        Self.orthonormalize(&axes)
        for _ in 0..<Self.rounds {
            var next = [[Double]](repeating: [Double](repeating: 0, count: width), count: 2)
            for index in 0..<count {
                let vector = centred(index)
                for axis in 0..<2 {
                    let part = Self.dot(vector, axes[axis])
                    for place in 0..<width { next[axis][place] += part * vector[place] }
                }
            }
            axes = next
            Self.orthonormalize(&axes)
        }
        points = (0..<count).map { index in
            let vector = centred(index)
            return (Self.dot(vector, axes[0]), Self.dot(vector, axes[1]))
        }
    }

    private static func unit(_ vector: [Float]) -> [Double] {
        let length = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        return vector.map { length > 0 ? Double($0) / length : 0 }
    }

    private static func mean(count: Int, width: Int, row: (Int) -> [Float]) -> [Double] {
        var sum = [Double](repeating: 0, count: width)
        for index in 0..<count {
            let vector = unit(row(index))
            for place in 0..<width { sum[place] += vector[place] }
        }
        return sum.map { $0 / Double(max(count, 1)) }
    }

    private static func dot(_ a: [Double], _ b: [Double]) -> Double {
        var sum = 0.0
        for place in a.indices { sum += a[place] * b[place] }
        return sum
    }

    /// Gram–Schmidt; a zero direction stays zero. Signs are chosen so that the largest coefficient is positive.
    private static func orthonormalize(_ axes: inout [[Double]]) {
        for axis in axes.indices {
            for earlier in 0..<axis {
                let part = dot(axes[axis], axes[earlier])
                for place in axes[axis].indices { axes[axis][place] -= part * axes[earlier][place] }
            }
            let length = dot(axes[axis], axes[axis]).squareRoot()
            let largest = axes[axis].max { $0.magnitude < $1.magnitude } ?? 0
            let scale = length > 1e-30 ? (largest < 0 ? -1 : 1) / length : 0
            axes[axis] = axes[axis].map { $0 * scale }
        }
    }
}
