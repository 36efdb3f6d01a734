import Compute

/// A group of near-duplicate images.
public struct DuplicateGroup: Sendable, Hashable {
    /// The rows of the group, in ascending order.
    public let rows: [Int]
    /// The row to keep: the image with the largest file, or the first of equals.
    public let kept: Int
    /// The cosine of each row with the one to keep.
    public let similarities: [Float]
}

/// Finds groups of near-duplicates, the connected components of similar pairs, by union-find (Tarjan 1975).
package struct NearDuplicates {
    /// The groups of two or more rows, largest first; ties are ordered by their first row.
    ///
    /// - Parameters:
    ///   - byteCount: the size of a row's file; 0 if it is missing.
    ///   - progress: receives the number of rows that have been compared with all later ones.
    ///   - skipped: receives each row that is not finite, and so belongs to no group.
    package static func groups(
        in search: CosineSearch, threshold: Float, byteCount: (Int) -> Int, progress: (Int) -> Void = { _ in },
        skipped: (Int) -> Void = { _ in }
    ) -> [DuplicateGroup] {
        var sets = DisjointSets(count: search.vectors.rows)
        search.forEachPair(atLeast: threshold, progress: progress, skipped: skipped) { row, other, _ in
            sets.join(row, other)
        }
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
