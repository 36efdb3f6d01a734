import Compute
import LibC

/// A group of near-duplicate images.
public struct DuplicateGroup: Sendable, Hashable {
    /// The rows of the group, in ascending order.
    public let rows: [Int]
    /// The row to keep: the image with the largest file, or the first of equals.
    public let kept: Int
    /// The cosine of each row with the one to keep, of vectors from which the set's mean is subtracted.
    public let similarities: [Float]
}

/// Finds groups of near-duplicates, all members of which are alike: a chain of similar pairs is no group.
///
/// Pairs are joined from the most similar on, as long as each member of one group is like each of the other (complete
/// linkage, Sørensen 1948).
package struct NearDuplicates {
    package let vectors: CenteredRows
    private let engine: any Engine

    /// The most similar rows that each row is compared with.
    private static let candidatesPerRow = 32
    private static let rowsPerPass = 512

    package init(_ vectors: CenteredRows, engine: any Engine) {
        self.vectors = vectors
        self.engine = engine
    }

    /// Two rows, the smaller first, and their cosine.
    private struct Pair {
        let row: Int
        let other: Int
        let similarity: Float

        init(_ row: Int, _ match: Match) {
            (self.row, other) = (min(row, match.row), max(row, match.row))
            similarity = match.similarity
        }
    }

    /// The rows most similar to each row, best first.
    ///
    /// - Parameter progress: receives the number of rows done.
    package func neighbors(progress: (Int) -> Void) -> [[Match]] {
        Self.neighbors(of: vectors, in: CosineSearch(vectors, engine: engine), progress: progress)
    }

    /// The rows of `search` most similar to each of `queries`, best first, but for the row of the same number.
    static func neighbors(
        of queries: any VectorRows, in search: CosineSearch, progress: (Int) -> Void
    ) -> [[Match]] {
        var neighbors: [[Match]] = []
        neighbors.reserveCapacity(queries.rows)
        for first in stride(from: 0, to: queries.rows, by: rowsPerPass) {
            let range = first..<min(first + rowsPerPass, queries.rows)
            let part = Tensor(shape: [range.count, queries.columns])
            part.withMutableNumbers { queries.copy(range, into: &$0) }
            neighbors += search.best(candidatesPerRow, for: part, excluding: range.map { $0 })
            progress(range.upperBound)
        }
        return neighbors
    }

    /// The groups of two or more rows, largest first; ties are ordered by their first row.
    ///
    /// - Parameters:
    ///   - neighbors: the rows that each row is compared with.
    ///   - byteCount: the size of a row's file; 0 if it is missing.
    ///   - isAlike: whether two rows are near-duplicates, given their cosine where it is known.
    package func groups(
        of neighbors: [[Match]], byteCount: (Int) -> Int, isAlike: (_ row: Int, _ other: Int, Float?) -> Bool
    ) -> [DuplicateGroup] {
        var pairs: [Pair] = []
        for (row, matches) in neighbors.enumerated() {
            for match in matches where isAlike(row, match.row, match.similarity) { pairs.append(Pair(row, match)) }
        }
        pairs.sort { ($1.similarity, $0.row, $0.other) < ($0.similarity, $1.row, $1.other) }
        var groups: [Int: [Int]] = [:]
        var roots = Array(0..<vectors.rows)
        for pair in pairs where roots[pair.row] != roots[pair.other] {
            let (root, other) = (roots[pair.row], roots[pair.other])
            let (members, others) = (groups[root] ?? [root], groups[other] ?? [other])
            guard members.allSatisfy({ member in others.allSatisfy { isAlike(member, $0, nil) } }) else { continue }
            groups[root] = members + others
            groups[other] = nil
            for member in others { roots[member] = root }
        }
        return groups.values.map { $0.sorted() }.sorted { ($1.count, $0[0]) < ($0.count, $1[0]) }.map { rows in
            let sizes = rows.map(byteCount)
            let largest = sizes.max() ?? 0
            let kept = rows[sizes.firstIndex(of: largest) ?? 0]
            return DuplicateGroup(rows: rows, kept: kept, similarities: rows.map { vectors.cosine(kept, $0) })
        }
    }

    /// The cosine above which two vectors are so much closer than the set's nearest neighbours usually are that they show
    /// the same image.
    ///
    /// The logarithms of the distances to the nearest neighbour are near to normally distributed; what lies three standard
    /// deviations below their median, and below a quarter of it, is no neighbour by chance. The deviation is estimated by
    /// that from the median, which up to half of the rows do not change.
    package static func threshold(of neighbors: [[Match]]) -> Float {
        let distances = neighbors.compactMap { $0.first.map { log(max(1 - Double($0.similarity), 1e-7)) } }
        guard distances.count >= CenteredRows.smallestSet else { return 0.95 }
        let center = median(distances)
        let deviation = 1.4826 * median(distances.map { abs($0 - center) })
        return Float(1 - exp(min(center - 3 * deviation, center - log(4))))
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
