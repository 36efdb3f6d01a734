import Compute
import Datasets
import Imaging
import Models
import Support

/// A 2-D map of embeddings as a self-contained HTML page: points coloured by folder, with thumbnails.
package struct EmbeddingMap {
    /// The options.
    package struct Options: Sendable {
        /// The longer side of a thumbnail, in pixels; 0: no thumbnails.
        package var thumbnailSide = 64
        /// The maximum total size of the thumbnails in bytes; beyond it, only some points have one.
        package var thumbnailBytes = 32 << 20

        package init() {}
    }

    private let collection: EmbeddingCollection
    private let engine: any Engine
    private let options: Options

    package init(_ collection: EmbeddingCollection, engine: any Engine, options: Options) {
        self.collection = collection
        self.engine = engine
        self.options = options
    }

    /// The page. `progress` receives the steps of the layout done, and their number; `skipped` each row that is not finite,
    /// which has no place on the map; `missing` the images that would have a thumbnail but cannot be read.
    ///
    /// Errors: `InputError` if the index is malformed, or if there are no rows.
    package func page(
        title: String, progress: (Int, Int) -> Void, skipped: (Int) -> Void = { _ in },
        missing: ([String]) -> Void = { _ in }
    ) throws -> String {
        let whole = collection.vectors
        guard whole.rows > 0 else {
            throw InputError.malformed(whole.path, "has no rows, so there is nothing to map")
        }
        let (finite, others) = whole.partitionedByFiniteness()
        others.forEach(skipped)
        guard !finite.isEmpty else {
            throw InputError.malformed(whole.path, "has no row that is finite, so there is nothing to map")
        }
        let vectors: any VectorRows = others.isEmpty ? whole : SelectedRows(finite, of: whole)
        let paths = try collection.paths().map { paths in finite.map { paths[$0] } }
        let places = TSNE.places(CosineSearch(vectors, engine: engine), engine: engine, progress: progress)
        let groups = paths.map { FolderGroups(paths: $0) }
        let thumbnails = Thumbnails(
            side: options.thumbnailSide, byteCount: options.thumbnailBytes, threads: engine.threadCount)
        let files = (paths ?? []).map(collection.input)
        let images = try thumbnails.texts(of: files, missing: { missing($0.map { files[$0].path }) })
        let names = groups?.names ?? ["all"]
        let data = JSON.object([
            JSON.Member("points", .array(Self.coordinates(places))),
            JSON.Member("groups", .array(names.map { .string($0) })),
            JSON.Member("colours", .array(names.indices.map { .string(MapMarker(group: $0).color) })),
            JSON.Member("shapes", .array(names.indices.map { .string(MapMarker(group: $0).outline) })),
            JSON.Member(
                "group", .array((groups?.members ?? [Int](repeating: 0, count: vectors.rows)).map { .integer($0) })),
            JSON.Member("paths", .array((paths ?? []).map { .string($0) })),
            JSON.Member("thumbnails", .array(images.map { .string($0) })),
        ])
        return MapPage.html(title: title, count: vectors.rows, data: data)
    }

    /// The coordinates as integers; the longer axis is scaled to 0…10,000.
    private static func coordinates(_ places: [(x: Double, y: Double)]) -> [JSON] {
        let (left, top) = (places.map(\.x).min() ?? 0, places.map(\.y).min() ?? 0)
        let (width, height) = ((places.map(\.x).max() ?? 0) - left, (places.map(\.y).max() ?? 0) - top)
        let scale = max(width, height) > 0 ? 10_000 / max(width, height) : 0
        return places.flatMap { place in
            [
                .integer(Int(((place.x - left) * scale).rounded())),
                .integer(Int(((place.y - top) * scale).rounded())),
            ]
        }
    }
}

/// The folders of the images, relative to their common parent.
struct FolderGroups {
    let names: [String]
    /// The folder of each image, as an index into `names`.
    let members: [Int]

    init(paths: [String]) {
        let folders = paths.map { path in
            Files.directory(of: path).utf8.split(separator: UInt8(ascii: "/")).map {
                BytewiseText(String(Substring($0)))
            }
        }
        var common = folders.first ?? []
        for folder in Set(folders) {
            common = Array(zip(common, folder).prefix { $0 == $1 }.map(\.0))
        }
        let labels = folders.map { BytewiseText($0.dropFirst(common.count).map(\.text).joined(separator: "/")) }
        let names = Set(labels).sorted { $0.text.precedesBytewise($1.text) }
        let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        members = labels.map { places[$0] ?? 0 }
        self.names = names.map { $0.text.isEmpty ? (common.last?.text ?? "all") : $0.text }
    }
}
