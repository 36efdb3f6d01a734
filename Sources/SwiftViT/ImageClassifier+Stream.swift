import Compute
import Datasets
import Imaging
import Models

/// What became of one input of a run over many.
public struct ClassifiedInput: Sendable {
    /// The path as it was given or found; "-" is standard input.
    public let path: String
    /// The answer, or why there is none.
    public let result: Result<Classification, InputError>
}

extension ImageClassifier {
    /// Classifies many pictures and hands each result to `body`, in the order of the inputs.
    ///
    /// The next pictures are decoded on other threads while the model computes; the memory in use does not grow with
    /// the number of inputs. A picture that cannot be read gives a failure in its place. What `body` throws ends the
    /// run.
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

/// The memory in which pictures are computed together.
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
        let size = configuration.imageSize
        pixels = Tensor(shape: [capacity, configuration.inputChannels, size.height, size.width])
        logits = Tensor(shape: [capacity, configuration.classCount])
    }

    /// Computes the pictures of a group and hands all its results over.
    func classify(
        _ group: [PreparedInputs<PreparedImage>.Item], _ body: (ClassifiedInput) throws -> Void
    ) throws {
        let pictures = group.compactMap { try? $0.result.get() }
        for (row, picture) in pictures.enumerated() {
            classifier.preprocessing.normalize(picture.image, into: pixels.rows(row..<row + 1))
        }
        if !pictures.isEmpty {
            model.logits(pixels.rows(0..<pictures.count), into: logits.rows(0..<pictures.count))
        }
        var row = 0
        for item in group {
            let result = item.result.flatMap { picture in
                defer { row += 1 }
                let values = logits.rows(row..<row + 1).values
                return Result { () throws(InputError) in
                    try classifier.classification(of: picture, logits: values, path: item.path)
                }
            }
            try body(ClassifiedInput(path: item.path, result: result))
        }
    }
}
