/// A row of an index that matches a query.
public struct Match: Sendable, Hashable {
    /// The row, counted from 0.
    public let row: Int
    /// The cosine of the angle between the two vectors.
    public let similarity: Float

    package init(row: Int, similarity: Float) {
        self.row = row
        self.similarity = similarity
    }

    /// Whether this match ranks higher: the more similar, and of equals the earlier.
    func precedes(_ other: Match) -> Bool {
        similarity > other.similarity || similarity == other.similarity && row < other.row
    }
}

/// The best of many matches: a heap with the worst at its root.
struct BestMatches {
    private let capacity: Int
    private var heap: [Match] = []

    /// Keeps at most `capacity` matches.
    init(capacity: Int) {
        self.capacity = capacity
        heap.reserveCapacity(capacity)
    }

    /// The similarity below which a match is not kept.
    var threshold: Float { heap.count < capacity ? -.infinity : heap.first?.similarity ?? .infinity }

    mutating func insert(_ match: Match) {
        if heap.count < capacity {
            heap.append(match)
            rise(from: heap.count - 1)
        } else if let worst = heap.first, match.precedes(worst) {
            heap[0] = match
            sink()
        }
    }

    /// The matches, best first.
    var sorted: [Match] { heap.sorted { $0.precedes($1) } }

    private mutating func rise(from start: Int) {
        var index = start
        while index > 0, heap[(index - 1) / 2].precedes(heap[index]) {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func sink() {
        var index = 0
        while true {
            var worst = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count && heap[worst].precedes(heap[child]) {
                worst = child
            }
            if worst == index { return }
            heap.swapAt(index, worst)
            index = worst
        }
    }
}
