import Compute
import Datasets
import Support

/// Exact search by cosine similarity in a file of embeddings.
///
/// ```swift
/// let search = try EmbeddingSearch(contentsOfFile: "photos.npy")
/// let vector = try ImageEmbedder(checkpoint: "checkpoints/charts-vit-tiny").embed(contentsOfFile: "query.jpg").values
/// let matches = search.nearest(10, to: [vector])[0]
/// let paths = try search.paths(of: matches.map(\.row))
/// ```
public struct EmbeddingSearch: Sendable {
    package let collection: EmbeddingCollection
    private let search: CosineSearch
    package let engine: any Engine

    /// Opens a `.npy` file of float32 or float16 vectors (N, D), and the index beside it if there is one.
    ///
    /// Errors: `InputError` if the file or its index is malformed.
    /// - Parameter threads: the number of threads; nil: as many as the process may use. Results do not depend on it.
    public init(contentsOfFile path: String, threads: Int? = nil) throws {
        collection = try EmbeddingCollection(contentsOfFile: path)
        engine = Engines.make(threads: threads)
        search = CosineSearch(collection.vectors, engine: engine)
    }

    /// The number of vectors (N).
    public var count: Int { collection.vectors.rows }
    /// The length of a vector (D).
    public var dimension: Int { collection.vectors.columns }

    /// The `count` rows most similar to each query, best first; row `excluded[q]` is never a match of query q.
    ///
    /// - Parameter skipped: receives each row that is not finite, and so matches nothing, if the first query is finite.
    public func nearest(
        _ count: Int, to queries: [[Float]], excluding excluded: [Int?]? = nil, skipped: (Int) -> Void = { _ in }
    ) -> [[Match]] {
        precondition(
            queries.allSatisfy { $0.count == dimension } && (excluded?.count ?? queries.count) == queries.count,
            "EmbeddingSearch: expected queries of \(dimension) numbers, got \(queries.map(\.count))")
        if queries.isEmpty { return [] }
        return search.best(
            count, for: Tensor(queries.flatMap { $0 }, shape: [queries.count, dimension]),
            excluding: excluded ?? [Int?](repeating: nil, count: queries.count), skipped: skipped)
    }

    /// The paths of some rows' images; empty if there is no index.
    ///
    /// Errors: `InputError` if the index is malformed.
    public func paths(of rows: some Sequence<Int>) throws -> [Int: String] { try collection.paths(of: Set(rows)) }
}
