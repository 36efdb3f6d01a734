import Compute
import Datasets
import Models

extension ImageEmbedder {
    /// The embeddings of labelled images in memory, one row each; `body` receives every result, in the order of the samples.
    ///
    /// An image that cannot be read has no row. An error thrown by `body` ends the run.
    public func features(
        of samples: [ImageDataset.Sample], in dataset: ImageDataset, _ body: (EmbeddedInput) throws -> Void
    ) throws -> LabeledFeatures {
        try features(of: [samples], in: dataset, body)[0]
    }

    /// The same of several parts of a set, a table each.
    ///
    /// - Parameter file: where the embeddings are kept, as `EmbeddingJob` writes them, with all that goes with them; of a
    ///   file that is there, the rows of unchanged images are read. nil: nowhere.
    ///
    /// Errors: `ModelUseError` if the file was made by another model or in another way.
    public func features(
        of parts: [[ImageDataset.Sample]], in dataset: ImageDataset, keptIn file: String? = nil,
        _ body: (EmbeddedInput) throws -> Void
    ) throws -> [LabeledFeatures] {
        let width = shape.reduce(1, *)
        let tables = parts.map { Tensor(shape: [$0.count, width]) }
        var labels = [[Int]](repeating: [], count: parts.count)
        var samples = parts.enumerated().flatMap { part, samples in samples.map { (part: part, label: $0.label) } }[...]
        func take(_ input: EmbeddedInput) throws {
            if let sample = samples.popFirst(), let label = sample.label, case .success(let embedding) = input.result {
                let row = labels[sample.part].count
                tables[sample.part].rows(row..<row + 1).assign(embedding.values)
                labels[sample.part].append(label)
            }
            try body(input)
        }
        let inputs = parts.joined().map { dataset.input(of: $0) }
        if let file {
            var options = EmbeddingJob.Options()
            options.updates = true
            options.startingOver = "name another file"
            _ = try EmbeddingJob(self, inputs: inputs, output: file, options: options).run { _, input in
                if let input { try take(input) }
            }
        } else {
            try embed(inputs, take)
        }
        return zip(tables, labels).map { LabeledFeatures(values: $0.rows(0..<$1.count), labels: $1) }
    }
}
