/// A quadtree of points in the plane; each square has the number of its points and their centre of mass.
///
/// Barnes and Hut 1986; van der Maaten 2014, section 4.2.
package struct QuadTree {
    /// A square.
    package struct Node {
        /// The centre of the square, and half its side.
        var x: Double
        var y: Double
        var half: Double
        /// The sums of its points' coordinates.
        var sumX = 0.0
        var sumY = 0.0
        package var count = 0
        /// The first of its four children, which are consecutive; 0: it has none.
        var children = 0
    }

    package private(set) var nodes: [Node] = []

    private static let deepest = 48

    /// An empty tree.
    package init() {}

    /// Rebuilds the tree from `points`, reusing its memory.
    package mutating func build(_ points: UnsafePointer<SIMD2<Double>>, count: Int) {
        nodes.removeAll(keepingCapacity: true)
        var (low, high) = unsafe (points[0], points[0])
        for index in 1..<max(count, 1) {
            low = unsafe pointwiseMin(low, points[index])
            high = unsafe pointwiseMax(high, points[index])
        }
        let middle = (low + high) / 2
        let half = max((high - low).max() / 2, 1e-12) * 1.001
        nodes.append(Node(x: middle.x, y: middle.y, half: half))
        for index in 0..<count { unsafe insert(points[index]) }
    }

    private mutating func insert(_ point: SIMD2<Double>) {
        var index = 0
        for depth in 0...Self.deepest {
            let node = nodes[index]
            if node.children == 0, node.count > 0 {
                let center = SIMD2(node.sumX, node.sumY) / Double(node.count)
                // Coinciding points share a square.
                if center != point, depth < Self.deepest { divide(index, center: center) }
            }
            nodes[index].count += 1
            nodes[index].sumX += point.x
            nodes[index].sumY += point.y
            if nodes[index].children == 0 { return }
            index = child(of: index, at: point)
        }
    }

    /// Divides a leaf and moves its points, which coincide, to the child that contains them.
    private mutating func divide(_ index: Int, center: SIMD2<Double>) {
        let node = nodes[index]
        let quarter = node.half / 2
        nodes[index].children = nodes.count
        for part in 0..<4 {
            let (dx, dy) = (part & 1 == 0 ? -quarter : quarter, part & 2 == 0 ? -quarter : quarter)
            nodes.append(Node(x: node.x + dx, y: node.y + dy, half: quarter))
        }
        let part = child(of: index, at: center)
        (nodes[part].count, nodes[part].sumX, nodes[part].sumY) = (node.count, node.sumX, node.sumY)
    }

    private func child(of index: Int, at point: SIMD2<Double>) -> Int {
        nodes[index].children + (point.x < nodes[index].x ? 0 : 1) + (point.y < nodes[index].y ? 0 : 2)
    }
}

extension QuadTree {
    /// The repulsion of the point at `place` by all others: Σ q² · (place − other) and Σ q with q = 1 / (1 + distance²),
    /// where squares that appear smaller than `theta` count as one point.
    ///
    /// - Parameter pending: a buffer for the squares still to visit.
    package static func repulsion(
        _ nodes: UnsafeBufferPointer<Node>, at place: SIMD2<Double>, theta: Double, pending: inout [Int]
    ) -> (force: SIMD2<Double>, sum: Double) {
        var (force, sum) = (SIMD2<Double>(), 0.0)
        pending.append(0)
        while let index = pending.popLast() {
            let node = unsafe nodes[index]
            if node.count == 0 { continue }
            let offset = place - SIMD2(node.sumX, node.sumY) / Double(node.count)
            let squared = offset.x * offset.x + offset.y * offset.y
            let side = 2 * node.half
            if node.children != 0, side * side >= theta * theta * squared {
                for child in node.children..<node.children + 4 { pending.append(child) }
                continue
            }
            // A point does not repel itself.
            let others = Double(node.children == 0 && squared == 0 ? node.count - 1 : node.count)
            let q = 1 / (1 + squared)
            sum += others * q
            force += others * q * q * offset
        }
        return (force, sum)
    }
}
