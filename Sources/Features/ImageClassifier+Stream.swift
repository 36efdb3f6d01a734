import Compute
import Datasets
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
        let batchSize = min(options.batchSize, max(inputs.count, 1))
        let preparation = self.preparation
        let prefetcher = OrderedPrefetcher(
            count: inputs.count, threads: options.threads ?? OneDNNEngine.availableCores,
            lookAhead: 2 * batchSize + 2
        ) { index in
            Result { () throws(InputError) in try preparation.prepare(inputs[index]) }
        }
        var batch = Batch(self, capacity: batchSize, model: try model())
        for (index, prepared) in prefetcher.enumerated() {
            batch.append(prepared, path: inputs[index].path)
            if batch.isFull { try batch.flush(to: body) }
        }
        try batch.flush(to: body)
    }
}

/// Pictures that wait to be computed together, and failures that wait for the pictures before them.
private struct Batch {
    private let classifier: ImageClassifier
    private let model: VisionTransformer
    /// (capacity, channels, height, width)
    private let pixels: Tensor
    /// (capacity, classes)
    private let logits: Tensor
    private var waiting: [(path: String, prepared: Result<PreparedImage, InputError>)] = []
    private var pictureCount = 0

    init(_ classifier: ImageClassifier, capacity: Int, model: VisionTransformer) {
        self.classifier = classifier
        self.model = model
        let configuration = classifier.configuration
        let size = configuration.imageSize
        pixels = Tensor(shape: [capacity, configuration.inputChannels, size.height, size.width])
        logits = Tensor(shape: [capacity, configuration.classCount])
    }

    /// Whether it is time to compute; failures count too, so that a run over nothing else still reports them.
    var isFull: Bool { waiting.count == pixels.shape[0] }

    mutating func append(_ prepared: Result<PreparedImage, InputError>, path: String) {
        if case .success(let picture) = prepared {
            let row = pixels.rows(pictureCount..<pictureCount + 1)
            classifier.preprocessing.normalize(picture.image, into: row)
            pictureCount += 1
        }
        waiting.append((path, prepared))
    }

    /// Computes the pictures, hands all results over, and empties the batch.
    mutating func flush(to body: (ClassifiedInput) throws -> Void) throws {
        if pictureCount > 0 {
            model.logits(pixels.rows(0..<pictureCount), into: logits.rows(0..<pictureCount))
        }
        var row = 0
        for (path, prepared) in waiting {
            let result = prepared.flatMap { picture in
                defer { row += 1 }
                let values = logits.rows(row..<row + 1).values
                return Result { () throws(InputError) in
                    try classifier.classification(of: picture, logits: values, path: path)
                }
            }
            try body(ClassifiedInput(path: path, result: result))
        }
        waiting.removeAll(keepingCapacity: true)
        pictureCount = 0
    }
}
