import Compute
import Datasets

/// Exact search by cosine similarity: every vector is compared, in blocks of matrix products.
///
/// The vectors are read in place, from a file or from memory; memory does not grow with their number.
package struct CosineSearch: Sendable {
    package let vectors: any VectorRows
    private let engine: any Engine

    /// Rows per block.
    private static let rowsPerBlock = 48 * 128
    /// Queries per pass over the vectors, and queries per task that keeps the best: a cache line of products.
    private static let queriesPerPass = 512
    private static let queriesPerTask = 16

    package init(_ vectors: any VectorRows, engine: any Engine) {
        self.vectors = vectors
        self.engine = engine
    }

    /// The `count` rows most similar to each query (Q, D), best first; row `excluded[q]` is never a match of query q. The
    /// queries need not have unit length.
    ///
    /// A row that is not finite matches nothing; `skipped` receives each of them, unless none of the first queries is
    /// finite.
    package func best(
        _ count: Int, for queries: Tensor, excluding excluded: [Int?], skipped: (Int) -> Void = { _ in }
    ) -> [[Match]] {
        precondition(
            queries.shape.count == 2 && queries.shape[1] == vectors.columns && excluded.count == queries.shape[0],
            "CosineSearch: vectors of \(vectors.columns) numbers got queries \(queries.shape)")
        let capacity = min(count, vectors.rows)
        var results: [[Match]] = []
        for first in stride(from: 0, to: queries.shape[0], by: Self.queriesPerPass) {
            let range = first..<min(first + Self.queriesPerPass, queries.shape[0])
            let pass = SearchPass(capacity: capacity, excluded: Array(excluded[range]))
            // The cosines of a finite query show which rows are not finite, without another pass over them.
            let finite = first == 0 ? range.first { queries.rows($0..<$0 + 1).values.allSatisfy(\.isFinite) } : nil
            forEachBlock(against: packed(queries.rows(range))) { rows, cosines in
                if let finite { Self.skip(rows, in: cosines, query: finite, skipped) }
                engine.forEachTask((range.count + Self.queriesPerTask - 1) / Self.queriesPerTask) { task in
                    let start = task * Self.queriesPerTask
                    let queries = start..<min(start + Self.queriesPerTask, range.count)
                    cosines.withNumbers { pass.take($0, rows: rows, queries: queries) }
                }
            }
            results += pass.matches
        }
        return results
    }

    /// Passes the rows whose cosine with a finite query is not finite to `body`.
    private static func skip(_ rows: Range<Int>, in cosines: Tensor, query: Int, _ body: (Int) -> Void) {
        let queryCount = cosines.shape[1]
        cosines.withNumbers { cosines in
            for (index, row) in rows.enumerated() where !cosines[index * queryCount + query].isFinite { body(row) }
        }
    }

    /// The queries (Q, D), normalised and packed.
    private func packed(_ queries: Tensor) -> any LinearWeights {
        let unit = Tensor(queries.values, shape: queries.shape)
        engine.normalizeRows(unit)
        return engine.linearWeights(unit, precision: .float32, changes: false)
    }

    /// Passes the cosines (rows, Q) of all rows to `body`, block by block.
    private func forEachBlock(against queries: any LinearWeights, _ body: (Range<Int>, Tensor) -> Void) {
        let cosines = Tensor(shape: [min(Self.rowsPerBlock, vectors.rows), queries.outputs])
        for start in stride(from: 0, to: vectors.rows, by: Self.rowsPerBlock) {
            let rows = start..<min(start + Self.rowsPerBlock, vectors.rows)
            engine.cosines(
                of: rows.count,
                rows: { range, target in
                    vectors.copy(start + range.lowerBound..<start + range.upperBound, into: &target)
                }, with: queries, into: cosines)
            vectors.release(rows)
            body(rows, cosines.rows(0..<rows.count))
        }
    }
}

/// The best matches of some queries so far. Tasks work on different queries.
@safe private final class SearchPass: @unchecked Sendable {
    private let best: UnsafeMutableBufferPointer<BestMatches>
    private let excluded: [Int?]

    init(capacity: Int, excluded: [Int?]) {
        self.excluded = excluded
        unsafe best = .allocate(capacity: excluded.count)
        // Each has memory of its own; copies of one would share it until they are changed, by different threads.
        for index in unsafe best.indices {
            unsafe best.initializeElement(at: index, to: BestMatches(capacity: capacity))
        }
    }

    deinit {
        unsafe best.deinitialize()
        unsafe best.deallocate()
    }

    /// Keeps the best of the cosines (rows, Q) of some rows with some of the queries.
    func take(_ cosines: Span<Float>, rows: Range<Int>, queries: Range<Int>) {
        let queryCount = excluded.count
        var thresholds = queries.map { unsafe best[$0].threshold }
        for row in 0..<rows.count {
            let start = row * queryCount
            let line = cosines.extracting(start + queries.lowerBound..<start + queries.upperBound)
            // Every product is compared here: its bounds are those of the line.
            for index in 0..<queries.count where unsafe line[unchecked: index] > thresholds[index] {
                let query = queries.lowerBound + index
                if excluded[query] == rows.lowerBound + row { continue }
                unsafe best[query].insert(Match(row: rows.lowerBound + row, similarity: line[index]))
                thresholds[index] = unsafe best[query].threshold
            }
        }
    }

    /// The matches of each query, best first.
    var matches: [[Match]] { unsafe best.map(\.sorted) }
}
