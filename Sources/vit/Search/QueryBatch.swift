import Datasets
import SwiftViT

/// The vectors of a search's queries.
struct QueryBatch {
    let collection: EmbeddingCollection
    /// The name of each query in the results.
    private(set) var names: [String] = []
    /// The row that a query is, which is excluded from its matches.
    private(set) var rows: [Int?] = []
    /// The image of each query; nil if it has none, or is a row's.
    private(set) var files: [String?] = []
    /// The number of queries that were left out: images that could not be embedded, and vectors that are not finite.
    private(set) var failures = 0
    private(set) var vectors: [[Float]] = []

    init(_ collection: EmbeddingCollection) { self.collection = collection }

    mutating func append(row: Int) throws {
        let count = collection.vectors.rows
        guard (0..<count).contains(row) else {
            let range = count > 0 ? "0 to \(count - 1)" : "none at all"
            throw CommandFailure(.usage, "\(collection.vectors.path): has no row \(row); it has \(range)")
        }
        try append("\(row)", collection.vectors[row], row: row)
    }

    /// Appends every row of another array.
    mutating func append(contentsOfFile path: String) throws {
        let queries = try NumPyMatrix(contentsOfFile: path, of: NumPyMatrix.Element.allCases)
        guard queries.columns == collection.vectors.columns else {
            throw CommandFailure(
                .malformedData,
                "\(path): has rows of \(queries.columns) numbers, and the index of "
                    + "\(collection.vectors.columns)")
        }
        for row in 0..<queries.rows { try append("\(path):\(row)", queries[row], row: nil) }
    }

    mutating func append(_ inputs: [InputPaths.Input], embedder: ImageEmbedder, isStrict: Bool) throws {
        let rows = try collection.rows(ofFiles: inputs.map(\.path))
        try embedder.embed(inputs) { input in
            switch input.result {
            case .success(let embedding):
                try append(
                    input.path, embedding.values, row: rows[input.path],
                    file: input.path == "-" ? nil : input.path)
            case .failure(let error):
                if isStrict || inputs.count == 1 { throw error }
                StandardError.report("Error: \(error)")
                failures += 1
            }
        }
    }

    /// Appends the mean of some texts.
    mutating func append(texts: [String], embedder: TextEmbedder) throws {
        try append(texts.joined(separator: " + "), TextEmbedder.mean(try embedder.embed(texts)), row: nil)
    }

    private mutating func append(_ name: String, _ vector: [Float], row: Int?, file: String? = nil) throws {
        guard vector.allSatisfy(\.isFinite) else {
            let place = row.map { "\(collection.vectors.path): row \($0)" } ?? "\(name):"
            StandardError.report("Error: \(place) is not finite (NaN or infinity), so nothing is similar to it")
            failures += 1
            return
        }
        names.append(name)
        rows.append(row)
        files.append(file)
        vectors.append(vector)
    }
}
