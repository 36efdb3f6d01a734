import Compute
import Datasets
import Models

extension ImageEmbedder {
    /// What stands for each of some labelled pictures, a row each, in memory; `body` gets every result, in the order of
    /// the samples.
    ///
    /// A picture that cannot be read has no row. What `body` throws ends the run.
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
