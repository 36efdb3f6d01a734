import Compute
import Datasets
import Support

/// The near-duplicates of a collection.
public struct Duplicates: Sendable {
    /// The groups, largest first.
    public let groups: [DuplicateGroup]
    /// The number of images that were compared by their pixels.
    public let comparedByPixels: Int
    /// The cosine from which on rows were taken for near-duplicates by their vectors; nil where all were compared by pixels.
    public let threshold: Float?
    /// The rows that are not finite, and so belong to no group.
    public let notFinite: [Int]

    /// Images that are there, but could not be read or examined: they were compared by their vectors, and none of them is
    /// kept for its size.
    public let unreadable: [InputError]

    /// The number of images that would go if one image of each group stayed.
    public var spareCount: Int { groups.reduce(0) { $0 + $1.rows.count - 1 } }
}

extension EmbeddingSearch {
    /// The groups of images that are copies of each other: recompressed, resized or mirrored.
    ///
    /// Images are compared by their pixels. Where they cannot be read, vectors count as near-duplicates that are much closer
    /// than the nearest neighbours of this set usually are.
    ///
    /// Errors: `InputError` if the index is malformed.
    /// - Parameter progress: receives what is done, images read and rows compared, and how much there is.
    public func copies(progress: (Int, Int) -> Void = { _, _ in }) throws -> Duplicates {
        let paths = try collection.paths()
        let total = count * (paths == nil ? 1 : 2)
        let miniatures = try MiniatureCollection(
            inputs: (paths ?? []).map(collection.input), engine: engine, progress: { progress($0, total) })
        let vectors = CenteredRows(collection.vectors)
        let duplicates = NearDuplicates(vectors, engine: engine)
        let isWhole = miniatures.count == count
        func compared(_ rows: Int) { progress(total - count + rows, total) }
        var neighbors = miniatures.neighbors(rowCount: count) { if isWhole { compared($0) } }
        var threshold: Float?
        if !isWhole {
            let others = duplicates.neighbors(progress: compared)
            threshold = NearDuplicates.threshold(of: others)
            for row in neighbors.indices { neighbors[row] += others[row] }
        }
        let sizes = FileSizes(paths: paths, in: collection)
        let groups = duplicates.groups(of: neighbors, byteCount: sizes.size) { row, other, cosine in
            if let first = miniatures[row], let second = miniatures[other] { return first.isCopy(of: second) }
            return (cosine ?? vectors.cosine(row, other)) >= threshold ?? 1
        }
        return Duplicates(
            groups: groups, comparedByPixels: miniatures.count, threshold: threshold, notFinite: vectors.notFinite,
            unreadable: miniatures.unreadable
                + sizes.failures.filter { failure in !miniatures.unreadable.contains { $0.path == failure.path } })
    }

    /// The groups of images whose vectors all have a cosine of `threshold` or more with each other, the set's mean
    /// subtracted from them.
    ///
    /// Errors: `InputError` if the index is malformed.
    /// - Parameter progress: receives the number of rows that have been compared with all others.
    public func duplicates(atLeast threshold: Float, progress: (Int) -> Void = { _ in }) throws -> Duplicates {
        let vectors = CenteredRows(collection.vectors)
        let duplicates = NearDuplicates(vectors, engine: engine)
        let sizes = FileSizes(paths: try collection.paths(), in: collection)
        let groups = duplicates.groups(
            of: duplicates.neighbors(progress: progress), byteCount: sizes.size
        ) { ($2 ?? vectors.cosine($0, $1)) >= threshold }
        return Duplicates(
            groups: groups, comparedByPixels: 0, threshold: threshold, notFinite: vectors.notFinite,
            unreadable: sizes.failures)
    }
}

/// The sizes of a collection's images.
private final class FileSizes {
    private let paths: [String]?
    private let collection: EmbeddingCollection
    /// The images that are there, but whose size the system could not tell.
    private(set) var failures: [InputError] = []

    init(paths: [String]?, in collection: EmbeddingCollection) {
        self.paths = paths
        self.collection = collection
    }

    /// The bytes of a row's image; 0 where it is missing, or its size cannot be told.
    func size(_ row: Int) -> Int {
        guard let paths else { return 0 }
        do throws(FileError) {
            return try collection.input(paths[row]).byteCount() ?? 0
        } catch {
            failures.append(InputError(error))
            return 0
        }
    }
}
