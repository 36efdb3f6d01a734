import Compute

/// A 2-D map of vectors: t-SNE with the Barnes–Hut approximation.
///
/// Van der Maaten and Hinton 2008; van der Maaten 2014 for the approximation; Kobak and Berens 2019 for the
/// initialisation with PCA and the learning rate of n / 12. The result does not depend on the number of threads.
package struct TSNE {
    private static let perplexity = 30.0
    private static let theta = 0.5
    private static let exaggeration = 12.0
    private static let exaggeratedSteps = 250
    private static let steps = 750
    /// With fewer vectors, the projection onto the principal plane is the map.
    private static let minimumCount = 8
    private static let pointsPerTask = 256

    /// The places (n, 2) of the rows of `search`; `progress` receives the steps done and their number.
    package static func places(
        _ search: CosineSearch, engine: any Engine, progress: (Int, Int) -> Void
    ) -> [(x: Double, y: Double)] {
        let vectors = search.vectors
        let start = PrincipalPlane(count: vectors.rows, width: vectors.columns) { vectors[$0] }.points
        guard vectors.rows >= minimumCount else { return start }
        let perplexity = min(perplexity, Double(vectors.rows - 1) / 3)
        let graph = NeighborGraph(neighbors(search, count: Int(3 * perplexity)), perplexity: perplexity)
        let layout = Layout(graph, start: start)
        for step in 0..<steps {
            let isEarly = step < exaggeratedSteps
            layout.advance(
                exaggeration: isEarly ? exaggeration : 1, momentum: isEarly ? 0.5 : 0.8, theta: theta,
                pointsPerTask: pointsPerTask, engine: engine)
            progress(step + 1, steps)
        }
        return layout.places
    }

    /// The nearest neighbours of every row, exactly.
    private static func neighbors(_ search: CosineSearch, count: Int) -> [[Match]] {
        let vectors = search.vectors
        var result: [[Match]] = []
        for first in stride(from: 0, to: vectors.rows, by: 512) {
            let range = first..<min(first + 512, vectors.rows)
            let queries = Tensor(shape: [range.count, vectors.columns])
            queries.withMutableNumbers { vectors.copy(range, into: &$0) }
            result += search.best(count, for: queries, excluding: range.map { $0 })
        }
        return result
    }
}

/// The positions and velocities of points. Tasks work on different points.
@safe private final class Layout {
    private let graph: NeighborGraph
    private let count: Int
    private let points: UnsafeMutablePointer<SIMD2<Double>>
    private let attraction: UnsafeMutablePointer<SIMD2<Double>>
    private let repulsion: UnsafeMutablePointer<SIMD2<Double>>
    private let sums: UnsafeMutablePointer<Double>
    private let velocities: UnsafeMutablePointer<SIMD2<Double>>
    private let gains: UnsafeMutablePointer<SIMD2<Double>>
    private var tree = QuadTree()

    init(_ graph: NeighborGraph, start: [(x: Double, y: Double)]) {
        self.graph = graph
        count = start.count
        func memory(_ value: SIMD2<Double>) -> UnsafeMutablePointer<SIMD2<Double>> {
            let memory = UnsafeMutablePointer<SIMD2<Double>>.allocate(capacity: start.count)
            unsafe memory.initialize(repeating: value, count: start.count)
            return unsafe memory
        }
        unsafe points = memory(.zero)
        unsafe attraction = memory(.zero)
        unsafe repulsion = memory(.zero)
        unsafe velocities = memory(.zero)
        unsafe gains = memory(.one)
        unsafe sums = .allocate(capacity: start.count)
        unsafe sums.initialize(repeating: 0, count: start.count)
        let deviation = (start.reduce(0) { $0 + $1.x * $1.x } / Double(start.count)).squareRoot()
        let scale = deviation > 0 ? 1e-4 / deviation : 0
        for (index, place) in start.enumerated() {
            // Equal vectors must not start at the same place, or nothing would separate them.
            let nudge = 1e-9 * Double(index)
            unsafe points[index] = SIMD2(place.x * scale + nudge, place.y * scale - nudge)
        }
    }

    deinit {
        unsafe [points, attraction, repulsion, velocities, gains].forEach { unsafe $0.deallocate() }
        unsafe sums.deallocate()
    }

    var places: [(x: Double, y: Double)] { (0..<count).map { index in unsafe (points[index].x, points[index].y) } }

    /// One step of gradient descent, with momentum and a gain per coordinate.
    func advance(
        exaggeration: Double, momentum: Double, theta: Double, pointsPerTask: Int, engine: any Engine
    ) {
        unsafe tree.build(points, count: count)
        unsafe tree.nodes.withUnsafeBufferPointer { nodes in
            engine.forEachTask((count + pointsPerTask - 1) / pointsPerTask) { task in
                var pending: [Int] = []
                for index in task * pointsPerTask..<min((task + 1) * pointsPerTask, count) {
                    let (force, sum) = unsafe QuadTree.repulsion(
                        nodes, at: points[index], theta: theta, pending: &pending)
                    unsafe repulsion[index] = force
                    unsafe sums[index] = sum
                    unsafe attraction[index] = pull(on: index)
                }
            }
        }
        var total = 0.0
        for index in 0..<count { unsafe total += sums[index] }
        let rate = max(Double(count) / 12, 200)
        var middle = SIMD2<Double>()
        for index in 0..<count {
            let gradient = unsafe exaggeration * attraction[index] - repulsion[index] / max(total, 1e-300)
            move(index, gradient, momentum: momentum, rate: rate)
            unsafe middle += points[index]
        }
        middle /= Double(count)
        for index in 0..<count { unsafe points[index] -= middle }
    }

    /// Σ p · q · (this − other) over the neighbours.
    private func pull(on index: Int) -> SIMD2<Double> {
        var force = SIMD2<Double>()
        let place = unsafe points[index]
        for edge in graph.starts[index]..<graph.starts[index + 1] {
            let offset = unsafe place - points[Int(graph.neighbors[edge])]
            let q = 1 / (1 + offset.x * offset.x + offset.y * offset.y)
            force += Double(graph.probabilities[edge]) * q * offset
        }
        return force
    }

    private func move(_ index: Int, _ gradient: SIMD2<Double>, momentum: Double, rate: Double) {
        for axis in 0..<2 {
            let isSameWay = unsafe (gradient[axis] > 0) == (velocities[index][axis] > 0)
            let gain = unsafe isSameWay ? gains[index][axis] * 0.8 : gains[index][axis] + 0.2
            unsafe gains[index][axis] = max(gain, 0.01)
            unsafe velocities[index][axis] =
                momentum * velocities[index][axis] - rate * gains[index][axis] * gradient[axis]
        }
        unsafe points[index] += velocities[index]
    }
}
