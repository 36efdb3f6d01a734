import Compute
import Datasets
import SwiftViT

/// The queries of a search as vectors.
struct QueryBatch {
    let collection: EmbeddingCollection
    /// What the results call each query.
    private(set) var names: [String] = []
    /// The row that a query is, which is no answer to it.
    private(set) var rows: [Int?] = []
    /// Pictures that gave no vector.
    private(set) var failures = 0
    private var values: [Float] = []

    init(_ collection: EmbeddingCollection) { self.collection = collection }

    var isEmpty: Bool { names.isEmpty }

    /// (Q, D)
    var vectors: Tensor { Tensor(values, shape: [names.count, collection.vectors.columns]) }

    mutating func append(row: Int) throws {
        let count = collection.vectors.rows
        guard (0..<count).contains(row) else {
            let range = count > 0 ? "0 to \(count - 1)" : "none at all"
            throw CommandFailure(.usage, "\(collection.vectors.path): has no row \(row); it has \(range)")
        }
        append("\(row)", collection.vectors[row], row: row)
    }

    /// Each row of another array.
    mutating func append(contentsOfFile path: String) throws {
        let queries = try NumPyMatrix(contentsOfFile: path, of: NumPyMatrix.Element.allCases)
        guard queries.columns == collection.vectors.columns else {
            throw CommandFailure(
                .malformedData,
                "\(path): has rows of \(queries.columns) numbers, and the index of "
                    + "\(collection.vectors.columns)")
        }
        for row in 0..<queries.rows { append("\(path):\(row)", queries[row], row: nil) }
    }

    mutating func append(_ inputs: [InputPaths.Input], embedder: ImageEmbedder, isStrict: Bool) throws {
        try embedder.embed(inputs) { input in
            switch input.result {
            case .success(let embedding): append(input.path, embedding.values, row: nil)
            case .failure(let error):
                if isStrict || inputs.count == 1 { throw error }
                StandardError.write("Error: \(error)\n")
                failures += 1
            }
        }
    }

    private mutating func append(_ name: String, _ vector: [Float], row: Int?) {
        names.append(name)
        rows.append(row)
        values += vector
    }
}
