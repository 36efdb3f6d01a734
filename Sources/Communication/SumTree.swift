/// A binary tree over numbered parts, in which they are added: neighbours in pairs, the sums of those in pairs, and so on.
///
/// Floating-point sums depend on their order. This order depends on the number of parts alone, so that it does not
/// matter how many processes hold them.
package struct SumTree: Sendable, Hashable {
    /// A sum in the tree: that of the parts `index · 2^level ..< (index + 1) · 2^level`, as far as they exist.
    package struct Node: Sendable, Hashable {
        package let level: Int
        package let index: Int

        package init(level: Int, index: Int) { (self.level, self.index) = (level, index) }

        /// Whether `right` is what this one is added to next.
        func isFollowed(by right: Node) -> Bool {
            level == right.level && index % 2 == 0 && right.index == index + 1
        }

        var parent: Node { Node(level: level + 1, index: index / 2) }
    }

    /// The number of parts.
    package let count: Int

    package init(count: Int) {
        precondition(count >= 1, "SumTree: expected at least 1 part, got \(count)")
        self.count = count
    }

    /// The parts that a process has: as many as every other, one after another.
    package func parts(of rank: Int, among processes: Int) -> Range<Int> {
        let share = count / processes
        precondition(share * processes == count, "SumTree: \(count) parts cannot be shared by \(processes) processes")
        return rank * share..<(rank + 1) * share
    }

    /// The fewest sums that hold all of a range's parts, in order.
    package func nodes(of parts: Range<Int>) -> [Node] {
        var stack = SumStack<Void>()
        for part in parts { stack.push((), at: Node(level: 0, index: part)) { _, _ in } }
        return stack.nodes
    }

    /// The numbers of processes that can share the parts.
    package var processCounts: [Int] { (1...count).filter { count % $0 == 0 } }

    /// The most sums that a process holds beside the one that it is computing.
    package static func depth(parts: Range<Int>) -> Int {
        var (stack, most) = (SumStack<Void>(), 0)
        for part in parts {
            most = max(most, stack.nodes.count)
            stack.push((), at: Node(level: 0, index: part)) { _, _ in }
        }
        return most
    }
}

/// Sums of parts that come in order: as soon as two are neighbours in the tree, they are added.
package struct SumStack<Sum> {
    private var entries: [(node: SumTree.Node, sum: Sum)] = []

    package init() {}

    package var nodes: [SumTree.Node] { entries.map(\.node) }
    package var sums: [Sum] { entries.map(\.sum) }

    /// Takes the next sum; `add` is given an earlier one and the later one, and returns their sum.
    package mutating func push(_ sum: Sum, at node: SumTree.Node, add: (_ left: Sum, _ right: Sum) -> Sum) {
        var (node, sum) = (node, sum)
        while let last = entries.last, last.node.isFollowed(by: node) {
            sum = add(last.sum, sum)
            node = node.parent
            entries.removeLast()
        }
        entries.append((node, sum))
    }

    /// Replaces the last sum, for example by a copy in other memory.
    package mutating func replaceLast(_ body: (Sum) -> Sum) {
        guard let last = entries.popLast() else { return }
        entries.append((last.node, body(last.sum)))
    }

    /// The sum of everything. A sum without a neighbour moves up the tree unchanged, so the remaining ones are
    /// added from the last to the first.
    package mutating func total(add: (_ left: Sum, _ right: Sum) -> Sum) -> Sum? {
        guard var sum = entries.popLast()?.sum else { return nil }
        while let earlier = entries.popLast() { sum = add(earlier.sum, sum) }
        return sum
    }
}
