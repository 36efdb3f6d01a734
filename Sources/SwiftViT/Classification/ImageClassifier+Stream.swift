import Communication
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

/// The logits of an image, from one or several models.
struct ComputedLogits {
    /// The size of the original.
    let width: Int
    let height: Int
    let logits: [[Float]]

    func pack(_ message: inout PackedMessage) {
        message.append(width)
        message.append(height)
        message.append(logits.count)
        for values in logits { message.append(values) }
    }
}

extension ComputedLogits {
    init(_ message: inout PackedMessage) {
        (width, height) = (message.integer(), message.integer())
        logits = (0..<message.integer()).map { _ in message.floats() }
    }
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
            let classified = result.flatMap { computed in
                Result { () throws(InputError) in try classification(computed, path: path) }
            }
            try body(ClassifiedInput(path: path, result: classified))
        }
    }

    /// Computes logits `count` times from each batch of images, and passes those of every image to `body`, in input order;
    /// of several processes, in the first.
    func forEachLogits(
        of inputs: [InputPaths.Input], count: Int,
        computing compute: (_ index: Int, _ pixels: Tensor, _ logits: Tensor) -> Void,
        _ body: (_ path: String, _ result: Result<ComputedLogits, InputError>) throws -> Void
    ) throws {
        let preparation = self.preparation
        let size = min(options.batchSize, inputs.count)
        let batch = Batch(self, capacity: size, count: count)
        let shared = SharedInputs(
            inputs: inputs, batchSize: size, communicator: options.communicator,
            pack: { (computed: ComputedLogits, message) in computed.pack(&message) }, unpack: { ComputedLogits(&$0) })
        var groups = PreparedInputs<PreparedImage>.Groups(
            PreparedInputs(inputs: shared.own, groupSize: size, threads: options.threads) {
                (input) throws(InputError) in try preparation.prepare(input)
            })
        try shared.run(nextBatch: { groups.next().map { batch.results($0, compute) } }, body)
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

    /// Computes the logits of a group's images.
    func results(
        _ group: [PreparedInputs<PreparedImage>.Item], _ compute: (Int, Tensor, Tensor) -> Void
    ) -> [Result<ComputedLogits, InputError>] {
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
        return group.map { item in
            item.result.map { prepared in
                defer { row += 1 }
                return ComputedLogits(
                    width: prepared.width, height: prepared.height,
                    logits: logits.map { $0.rows(row..<row + 1).values })
            }
        }
    }
}
