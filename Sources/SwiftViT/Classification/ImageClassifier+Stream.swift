import Compute
import Datasets
import Imaging
import Models

/// The result for one input.
public struct ClassifiedInput: Sendable {
    /// The path as given or found; "-" is standard input.
    public let path: String
    /// The classification, or why there is none.
    public let result: Result<Classification, InputError>
}

extension ImageClassifier {
    /// Classifies many images and passes each result to `body`, in input order.
    ///
    /// Upcoming images are decoded on other threads while the model computes; memory does not grow with the number of
    /// inputs. An image that cannot be read yields a failure in its place. An error thrown by `body` ends the run.
    public func classify(_ inputs: [InputPaths.Input], _ body: (ClassifiedInput) throws -> Void) throws {
        guard !inputs.isEmpty else { return }
        let preparation = self.preparation
        let stream = PreparedInputs(inputs: inputs, groupSize: options.batchSize, threads: options.threads) {
            (input) throws(InputError) in try preparation.prepare(input)
        }
        let batch = Batch(self, capacity: min(options.batchSize, inputs.count), model: try model())
        try stream.forEachGroup { group in try batch.classify(group, body) }
    }
}

/// The tensors in which images are classified together.
private struct Batch {
    private let classifier: ImageClassifier
    private let model: Classifier
    /// (capacity, channels, height, width)
    private let pixels: Tensor
    /// (capacity, classes)
    private let logits: Tensor

    init(_ classifier: ImageClassifier, capacity: Int, model: Classifier) {
        self.classifier = classifier
        self.model = model
        let configuration = classifier.configuration
        pixels = Tensor(shape: configuration.imageShape(count: capacity))
        logits = Tensor(shape: [capacity, configuration.classCount])
    }

    /// Classifies the images of a group and passes all its results to `body`.
    func classify(
        _ group: [PreparedInputs<PreparedImage>.Item], _ body: (ClassifiedInput) throws -> Void
    ) throws {
        let images = group.compactMap { try? $0.result.get().image }
        for (row, image) in images.enumerated() {
            classifier.preprocessing.normalize(image, into: pixels.rows(row..<row + 1))
        }
        if !images.isEmpty {
            model.logits(pixels.rows(0..<images.count), into: logits.rows(0..<images.count))
        }
        var row = 0
        for item in group {
            let result = item.result.flatMap { prepared in
                defer { row += 1 }
                let values = logits.rows(row..<row + 1).values
                return Result { () throws(InputError) in
                    try classifier.classification(of: prepared, logits: values, path: item.path)
                }
            }
            try body(ClassifiedInput(path: item.path, result: result))
        }
    }
}
