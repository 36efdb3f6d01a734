/// Finds every token that a text begins with. Children of a node lie side by side, sorted by their bytes.
struct PrefixTree: Sendable {
    private struct Node {
        var firstChild: Int32 = 0
        var childCount: Int16 = 0
        var byte: UInt8 = 0
        /// What the token that ends here stands for; -1 where none does.
        var value: Int32 = -1
    }

    private var nodes: [Node] = [Node()]

    /// - Parameter tokens: Tokens, each once, and a number of 0 or more each.
    init(_ tokens: [(bytes: ArraySlice<UInt8>, value: Int32)]) {
        let sorted = tokens.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        // A level at a time: the tokens below each node are neighbours in the sorted list.
        var level = [(node: 0, tokens: sorted.startIndex..<sorted.endIndex)]
        var depth = 0
        while !level.isEmpty {
            var below: [(node: Int, tokens: Range<Int>)] = []
            for (node, range) in level {
                var start = range.lowerBound
                if start < range.upperBound, sorted[start].bytes.count == depth {
                    nodes[node].value = sorted[start].value
                    start += 1
                }
                nodes[node].firstChild = Int32(truncatingIfNeeded: nodes.count)
                while start < range.upperBound {
                    let byte = Self.byte(sorted[start].bytes, depth)
                    var end = start + 1
                    while end < range.upperBound, Self.byte(sorted[end].bytes, depth) == byte { end += 1 }
                    below.append((nodes.count, start..<end))
                    nodes.append(Node(byte: byte))
                    nodes[node].childCount += 1
                    start = end
                }
            }
            level = below
            depth += 1
        }
    }

    private static func byte(_ bytes: ArraySlice<UInt8>, _ offset: Int) -> UInt8 { bytes[bytes.startIndex + offset] }

    /// Calls `body` for each token that begins at `start`, the shortest first, with its end and its number.
    @inline(__always)
    func forEachPrefix(of bytes: [UInt8], from start: Int, _ body: (Int, Int32) -> Void) {
        var node = 0
        var position = start
        while position < bytes.count {
            guard let child = child(of: node, bytes[position]) else { return }
            node = child
            position += 1
            let value = nodes[node].value
            if value >= 0 { body(position, value) }
        }
    }

    @inline(__always)
    private func child(of node: Int, _ byte: UInt8) -> Int? {
        var low = Int(nodes[node].firstChild)
        var high = low + Int(nodes[node].childCount)
        while low < high {
            let middle = (low + high) / 2
            if nodes[middle].byte < byte { low = middle + 1 } else { high = middle }
        }
        let isFound =
            low < Int(nodes[node].firstChild) + Int(nodes[node].childCount) && nodes[low].byte == byte
        return isFound ? low : nil
    }
}
