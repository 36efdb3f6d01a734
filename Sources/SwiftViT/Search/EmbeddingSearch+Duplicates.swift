import Compute
import Datasets
import Support

/// The near-duplicates of a collection.
public struct Duplicates: Sendable {
    /// The groups, largest first.
    public let groups: [DuplicateGroup]
    /// The number of images that were compared by their pixels.
    public let comparedByPixels: Int
    /// The cosine from which on other rows were taken for near-duplicates.
    public let threshold: Float
    /// The rows that are not finite, and so belong to no group.
    public let notFinite: [Int]

    /// The number of images that would go if one image of each group stayed.
    public var spareCount: Int { groups.reduce(0) { $0 + $1.rows.count - 1 } }
}

extension EmbeddingSearch {
    /// The groups of images that are copies of each other: recompressed, resized or mirrored.
    ///
    /// Images that are similar by their vectors are compared by their pixels. Where they cannot be read, vectors count as
    /// near-duplicates that are much closer than the nearest neighbours of this set usually are.
    ///
    /// Errors: `InputError` if the index is malformed.
    /// - Parameter progress: receives what is done, rows compared and images read, and how much there is.
    public func copies(progress: (Int, Int) -> Void = { _, _ in }) throws -> Duplicates {
        let paths = try collection.paths()
        let total = count * (paths == nil ? 1 : 2)
        let vectors = CenteredRows(collection.vectors)
        let duplicates = NearDuplicates(vectors, engine: engine)
        let neighbors = duplicates.neighbors { progress($0, total) }
        let threshold = NearDuplicates.threshold(of: neighbors)
        let miniatures = try miniatures(paths ?? []) { progress(count + $0, total) }
        let groups = duplicates.groups(of: neighbors, byteCount: byteCount(paths)) { row, other, cosine in
            if let first = miniatures[row], let second = miniatures[other] { return first.isCopy(of: second) }
            return (cosine ?? vectors.cosine(row, other)) >= threshold
        }
        return Duplicates(
            groups: groups, comparedByPixels: miniatures.count, threshold: threshold, notFinite: vectors.notFinite)
    }

    /// The groups of images whose vectors all have a cosine of `threshold` or more with each other, the set's mean
    /// subtracted from them.
    ///
    /// Errors: `InputError` if the index is malformed.
    /// - Parameter progress: receives the number of rows that have been compared with all others.
    public func duplicates(atLeast threshold: Float, progress: (Int) -> Void = { _ in }) throws -> Duplicates {
        let vectors = CenteredRows(collection.vectors)
        let duplicates = NearDuplicates(vectors, engine: engine)
        let groups = duplicates.groups(
            of: duplicates.neighbors(progress: progress), byteCount: byteCount(try collection.paths())
        ) { ($2 ?? vectors.cosine($0, $1)) >= threshold }
        return Duplicates(
            groups: groups, comparedByPixels: 0, threshold: threshold, notFinite: vectors.notFinite)
    }

    private func byteCount(_ paths: [String]?) -> (Int) -> Int {
        { row in paths.flatMap { Files.byteCount(of: collection.file($0[row])) } ?? 0 }
    }

    /// The miniatures of the images that can be read, by row.
    private func miniatures(_ paths: [String], progress: (Int) -> Void) throws -> [Int: Miniature] {
        var miniatures: [Int: Miniature] = [:]
        let stream = PreparedInputs(
            inputs: paths.map { .file(collection.file($0)) }, groupSize: 16, threads: engine.threadCount
        ) { (input) throws(InputError) in Miniature(try Miniature.preparation.prepare(input).image) }
        try stream.forEachGroup { group in
            for item in group { miniatures[item.index] = try? item.result.get() }
            if let last = group.last { progress(last.index + 1) }
        }
        return miniatures
    }
}
