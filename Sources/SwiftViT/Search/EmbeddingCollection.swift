import Checkpoints
import Compute
import Datasets
import Support

/// An array of embeddings with what lies beside it: which picture a row belongs to, and how the numbers came about.
package struct EmbeddingCollection: Sendable {
    /// The rows.
    package let vectors: NumPyMatrix
    /// The settings of `vit embed`; nil where the array comes from elsewhere.
    package let settings: EmbeddingSettings?
    private let index: EmbeddingIndex?

    /// Opens the array in the file at `path`, of two dimensions.
    ///
    /// Errors: `InputError` where it or its index is malformed.
    package init(contentsOfFile path: String) throws {
        vectors = try NumPyMatrix(contentsOfFile: path, of: NumPyMatrix.Element.allCases)
        guard vectors.columns > 0 else { throw InputError.malformed(path, "has rows without numbers") }
        let (index, settings) = (EmbeddingSidecars.index(of: path), EmbeddingSidecars.settings(of: path))
        self.index =
            Files.kind(of: index) == .file
            ? try EmbeddingIndex(contentsOfFile: index, rowCount: vectors.rows) : nil
        self.settings = Files.kind(of: settings) == .file ? try EmbeddingSettings(contentsOfFile: settings) : nil
    }

    /// The paths of some rows; empty where no index is there.
    package func paths(of rows: Set<Int>) throws -> [Int: String] {
        var paths: [Int: String] = [:]
        try index?.forEach { entry in
            if rows.contains(entry.row) { paths[entry.row] = entry.path }
        }
        return paths
    }

    /// The paths of all rows, in their order; nil where no index is there.
    package func paths() throws -> [String]? {
        guard let index else { return nil }
        var paths: [String] = []
        paths.reserveCapacity(vectors.rows)
        try index.forEach { paths.append($0.path) }
        return paths
    }

    /// An embedder that gives vectors like those of the array.
    ///
    /// - Parameter model: a checkpoint in the place of the one that the settings name.
    ///
    /// Errors: `EmbeddingError` where it is not known how they came about, or where the model is another one.
    package func embedder(
        model: (String?) throws -> Checkpoint, options: ImageEmbedder.Options
    ) throws -> ImageEmbedder {
        var options = options
        if let settings {
            options.pooling = options.pooling ?? settings.pooling
            options.layer = options.layer ?? settings.layer
            options.isNormalized = settings.isNormalized
        }
        let checkpoint = try model(settings?.model)
        if let size = settings?.imageSize, size != checkpoint.configuration.imageSize {
            options.overrides.imageSize = options.overrides.imageSize ?? size
        }
        let embedder = try ImageEmbedder(checkpoint, options: options)
        guard embedder.shape == [vectors.columns] else {
            throw EmbeddingError(
                description: "\(vectors.path): has rows of \(vectors.columns) numbers, and \(embedder.checkpoint.path) "
                    + "gives \(embedder.shape.map(String.init).joined(separator: " × ")); name the --model and --pool "
                    + "that the rows came from")
        }
        if let settings, let difference = try settings.difference(from: embedder) {
            throw EmbeddingError(
                description: "\(vectors.path): came from another \(difference) than \(embedder.checkpoint.path) with "
                    + "these options; give the same as then")
        }
        return embedder
    }
}
