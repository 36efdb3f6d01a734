import Compute
import Datasets
import Models
import Support

/// An array of embeddings with its index of images and its settings, if they lie beside it.
package struct EmbeddingCollection: Sendable {
    /// The rows.
    package let vectors: NumPyMatrix
    /// The settings of `vit embed`; nil if the array comes from elsewhere.
    package let settings: EmbeddingSettings?
    private let index: EmbeddingIndex?
    private let archives = Archives()

    /// Opens the array in the file at `path`, of two dimensions.
    ///
    /// Errors: `InputError` if it or its index is malformed.
    package init(contentsOfFile path: String) throws {
        vectors = try NumPyMatrix(contentsOfFile: path, of: NumPyMatrix.Element.allCases)
        guard vectors.columns > 0 else { throw InputError.malformed(path, "has rows without numbers") }
        let (index, settings) = (EmbeddingSidecars.index(of: path), EmbeddingSidecars.settings(of: path))
        self.index =
            try Files.kind(of: index) == .file
            ? EmbeddingIndex(contentsOfFile: index, rowCount: vectors.rows) : nil
        self.settings = try Files.kind(of: settings) == .file ? EmbeddingSettings(contentsOfFile: settings) : nil
    }

    /// The paths of some rows; empty if there is no index.
    package func paths(of rows: Set<Int>) throws -> [Int: String] {
        var paths: [Int: String] = [:]
        try index?.forEach { entry in
            if rows.contains(entry.row) { paths[entry.row] = entry.path }
        }
        return paths
    }

    /// The paths of all rows, in order; nil if there is no index.
    package func paths() throws -> [String]? {
        guard let index else { return nil }
        var paths: [String] = []
        paths.reserveCapacity(vectors.rows)
        try index.forEach { paths.append($0.path) }
        return paths
    }

    /// The image that a path of the index names: relative ones begin where `vit embed` ran, or in the current directory if
    /// it is not there.
    package func input(_ path: String) -> InputPaths.Input {
        if path.utf8.first != UInt8(ascii: "/"), let directory = settings?.directory {
            let input = archives.input(Files.join(directory, path))
            if input.isThere { return input }
        }
        return archives.input(path)
    }

    /// The rows of those of some files that are in the index, however their paths are written.
    package func rows(ofFiles files: [String]) throws -> [String: Int] {
        let named = Dictionary(grouping: Set(files)) { Files.name(of: $0) }
        var rows: [String: Int] = [:]
        try index?.forEach { entry in
            for file in named[Files.name(of: entry.path)] ?? [] where rows[file] == nil {
                let isSame = try archives.resolved(file) == archives.resolved(input(entry.path).path)
                if isSame { rows[file] = entry.row }
            }
        }
        return rows
    }

    /// An embedder of texts that are comparable with the rows; its vectors have length 1.
    ///
    /// - Parameter model: opens the checkpoint, given the path that the settings name, if any.
    ///
    /// Errors: `ModelUseError` if the rows are of another model, or no embeddings that texts are compared with.
    package func textEmbedder(
        model: (String?) throws -> Checkpoint, options: TextEmbedder.Options
    ) throws -> TextEmbedder {
        var options = options
        options.isNormalized = true
        options.precision = settings?.precision ?? options.precision
        let embedder = try TextEmbedder(try model(settings?.model), options: options)
        if let settings, let obstacle = try settings.obstacle(to: embedder) {
            throw ModelUseError.unfitting("\(vectors.path): \(obstacle)")
        }
        guard embedder.width == vectors.columns else {
            throw ModelUseError.unfitting(
                "\(vectors.path): has rows of \(vectors.columns) numbers, and \(embedder.checkpoint.path) embeds texts as "
                    + "\(embedder.width); use the --model that the rows were computed with")
        }
        return embedder
    }

    /// An embedder whose embeddings are comparable with those of the array.
    ///
    /// - Parameter model: opens the checkpoint, given the path that the settings name, if any.
    ///
    /// Errors: `ModelUseError` if the embedder differs from the one that the array came from.
    package func embedder(
        model: (String?) throws -> Checkpoint, options: ImageEmbedder.Options
    ) throws -> ImageEmbedder {
        var options = options
        if let settings {
            options.pooling = options.pooling ?? settings.pooling
            options.layer = options.layer ?? settings.layer
            options.isNormalized = settings.isNormalized
            options.precision = settings.precision
        }
        let checkpoint = try model(settings?.model)
        if let size = settings?.imageSize, size != checkpoint.configuration.imageSize {
            options.overrides.imageSize = options.overrides.imageSize ?? size
        }
        let embedder = try ImageEmbedder(checkpoint, options: options)
        guard embedder.shape == [vectors.columns] else {
            throw ModelUseError.unfitting(
                "\(vectors.path): has rows of \(vectors.columns) numbers, and \(embedder.checkpoint.path) "
                    + "computes \(embedder.shape.map(String.init).joined(separator: " × ")); use the --model and --pool "
                    + "that the rows were computed with")
        }
        if let settings, let difference = try settings.difference(from: embedder) {
            throw ModelUseError.unfitting(
                "\(vectors.path): was computed with another \(difference) than \(embedder.checkpoint.path) with "
                    + "these options; use the same settings")
        }
        return embedder
    }
}
