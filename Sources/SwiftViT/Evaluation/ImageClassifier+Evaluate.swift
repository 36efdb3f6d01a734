import Datasets
import Models

extension ImageClassifier {
    /// Opens a labelled set and matches its classes with the model's by name.
    ///
    /// If the model's classes have no names, the set must have as many classes, which are matched in alphabetical order.
    /// Errors: `InputError`, also for a class that the model does not have.
    public func dataset(at path: String, options: ImageDataset.Options) throws(InputError) -> ImageDataset {
        var options = options
        options.requiresLabels = true
        options.classes = labels.names
        let dataset = try ImageDataset(at: path, options: options)
        guard dataset.classes.count == classCount else {
            throw .malformed(
                path,
                "has \(dataset.classes.count) classes, and the model's \(classCount) have no names to match "
                    + "them with; give the names in a labels file")
        }
        return dataset
    }

    /// Classifies labelled images and scores the predictions; `body` receives every result, in the order of the samples.
    ///
    /// An image that cannot be read does not count. An error thrown by `body` ends the evaluation.
    public func evaluate(
        _ samples: [ImageDataset.Sample], of dataset: ImageDataset, _ body: (ClassifiedInput) throws -> Void
    ) throws -> ClassificationScores {
        var scores = ClassificationScores(classCount: classCount, activation: activation)
        var labels = samples.lazy.map(\.label).makeIterator()
        try classify(samples.map { dataset.input(of: $0) }) { input in
            if let label = labels.next() ?? nil, case .success(let classification) = input.result {
                scores.add(logits: classification.logits, label: label)
            }
            try body(input)
        }
        return scores
    }
}
