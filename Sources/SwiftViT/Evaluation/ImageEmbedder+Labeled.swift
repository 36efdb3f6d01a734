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
        let width = shape.reduce(1, *)
        let table = Tensor(shape: [samples.count, width])
        var labels: [Int] = []
        var classes = samples.lazy.map(\.label).makeIterator()
        try embed(samples.map { .file(dataset.file(of: $0)) }) { input in
            if let label = classes.next() ?? nil, case .success(let embedding) = input.result {
                table.rows(labels.count..<labels.count + 1).assign(embedding.values)
                labels.append(label)
            }
            try body(input)
        }
        return LabeledFeatures(values: table.rows(0..<labels.count), labels: labels)
    }
}
