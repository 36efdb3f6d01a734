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
        let model = try model()
        try forEachLogits(
            of: inputs, count: 1, computing: { _, pixels, logits in model.logits(pixels, into: logits) }
        ) { path, result in
            let classified = result.flatMap { prepared, logits in
                Result { () throws(InputError) in
                    try classification(of: prepared, logits: logits[0], path: path)
                }
            }
            try body(ClassifiedInput(path: path, result: classified))
        }
    }

    /// Computes logits `count` times from each batch of images, and passes those of every image to `body`, in input order.
    func forEachLogits(
        of inputs: [InputPaths.Input], count: Int,
        computing compute: (_ index: Int, _ pixels: Tensor, _ logits: Tensor) -> Void,
        _ body: (_ path: String, _ result: Result<(PreparedImage, [[Float]]), InputError>) throws -> Void
    ) throws {
        let preparation = self.preparation
        let stream = PreparedInputs(inputs: inputs, groupSize: options.batchSize, threads: options.threads) {
            (input) throws(InputError) in try preparation.prepare(input)
        }
        let batch = Batch(self, capacity: min(options.batchSize, inputs.count), count: count)
        try stream.forEachGroup { group in try batch.run(group, compute, body) }
    }
}

/// The tensors in which images are classified together.
private struct Batch {
    private let preprocessing: Preprocessing
    /// (capacity, channels, height, width)
    private let pixels: Tensor
    /// (capacity, classes) each
    private let logits: [Tensor]

    init(_ classifier: ImageClassifier, capacity: Int, count: Int) {
        let configuration = classifier.configuration
        preprocessing = classifier.preprocessing
        pixels = Tensor(shape: configuration.imageShape(count: capacity))
        logits = (0..<count).map { _ in Tensor(shape: [capacity, classifier.classCount]) }
    }

    /// Computes the logits of a group's images and passes all its results to `body`.
    func run(
        _ group: [PreparedInputs<PreparedImage>.Item], _ compute: (Int, Tensor, Tensor) -> Void,
        _ body: (String, Result<(PreparedImage, [[Float]]), InputError>) throws -> Void
    ) throws {
        let images = group.compactMap { try? $0.result.get().image }
        for (row, image) in images.enumerated() {
            preprocessing.normalize(image, into: pixels.rows(row..<row + 1))
        }
        if !images.isEmpty {
            for (index, logits) in logits.enumerated() {
                compute(index, pixels.rows(0..<images.count), logits.rows(0..<images.count))
            }
        }
        var row = 0
        for item in group {
            let result = item.result.map { prepared in
                defer { row += 1 }
                return (prepared, logits.map { $0.rows(row..<row + 1).values })
            }
            try body(item.path, result)
        }
    }
}
