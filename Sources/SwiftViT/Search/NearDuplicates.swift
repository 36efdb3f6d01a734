import Compute

/// Pictures so similar that one of them may be enough.
public struct DuplicateGroup: Sendable, Hashable {
    /// The rows of the group, in their order.
    public let rows: [Int]
    /// The row to keep: the picture with the largest file, and of equals the first.
    public let kept: Int
    /// The cosine of each row with the one that is kept.
    public let similarities: [Float]
}

/// Finds groups of near-duplicates: rows that a chain of similar pairs joins, by union-find (Tarjan 1975).
package struct NearDuplicates {
    /// The groups of two and more, the largest first, of equals the one with the earliest row.
    ///
    /// - Parameters:
    ///   - byteCount: the size of the file that a row came from; 0 where it is not there.
    ///   - progress: told of the rows that have been compared with all later ones.
    package static func groups(
        in search: CosineSearch, threshold: Float, byteCount: (Int) -> Int, progress: (Int) -> Void = { _ in }
    ) -> [DuplicateGroup] {
        var sets = DisjointSets(count: search.vectors.rows)
        search.forEachPair(atLeast: threshold, progress: progress) { row, other, _ in sets.join(row, other) }
        var members: [Int: [Int]] = [:]
        for row in 0..<search.vectors.rows where sets.size(of: row) > 1 {
            members[sets.root(of: row), default: []].append(row)
        }
        let groups = members.values.sorted { ($1.count, $0[0]) < ($0.count, $1[0]) }
        return groups.map { rows in
            var kept = rows[0]
            var largest = byteCount(kept)
            for row in rows.dropFirst() where byteCount(row) > largest { (kept, largest) = (row, byteCount(row)) }
            let vector = search.vectors[kept]
            return DuplicateGroup(
                rows: rows, kept: kept, similarities: rows.map { cosine(vector, search.vectors[$0]) })
        }
    }

    private static func cosine(_ a: [Float], _ b: [Float]) -> Float {
        var (product, first, second) = (0.0, 0.0, 0.0)
        for (x, y) in zip(a, b) {
            product += Double(x) * Double(y)
            first += Double(x) * Double(x)
            second += Double(y) * Double(y)
        }
        let lengths = (first * second).squareRoot()
        return lengths > 0 ? Float(product / lengths) : 0
    }
}

/// Sets that do not meet, and can be joined.
struct DisjointSets {
    private var parents: [Int]
    private var sizes: [Int]

    /// Sets of one.
    init(count: Int) {
        parents = Array(0..<count)
        sizes = [Int](repeating: 1, count: count)
    }

    /// The element that stands for the set.
    mutating func root(of element: Int) -> Int {
        var element = element
        while parents[element] != element {
            parents[element] = parents[parents[element]]
            element = parents[element]
        }
        return element
    }

    mutating func size(of element: Int) -> Int { sizes[root(of: element)] }

    mutating func join(_ one: Int, _ other: Int) {
        var (large, small) = (root(of: one), root(of: other))
        if large == small { return }
        if sizes[large] < sizes[small] { swap(&large, &small) }
        parents[small] = large
        sizes[large] += sizes[small]
    }
}
