import Checkpoints
import Compute
import Datasets
import Imaging
import Models
import Synchronization

/// Says what is in pictures, with a Vision Transformer from a checkpoint.
///
/// ```swift
/// let classifier = try ImageClassifier(checkpoint: "checkpoints/charts-vit-tiny")
/// let predictions = try classifier.classify(contentsOfFile: "figure.png", top: 5)
/// ```
public final class ImageClassifier: Sendable {
    /// What can be chosen where the checkpoint leaves a choice.
    public struct Options: Sendable {
        /// Threads at work; nil: as many as the process may use. Results do not depend on it.
        public var threads: Int?
        /// Pictures that the model computes at once, 1 or more. Results do not depend on it.
        public var batchSize = 8
        /// What to do otherwise than the checkpoint says.
        public var overrides = PreprocessingOverrides()
        /// What decoding a picture may take.
        public var decoding = DecodingOptions()

        /// The defaults.
        public init() {}
    }

    /// The checkpoint that the weights come from.
    public let checkpoint: Checkpoint
    /// The model's shape, overrides included.
    public let configuration: ViTConfiguration
    /// What happens to a picture before the model sees it, overrides included.
    public let preprocessing: Preprocessing
    /// The names of the classes.
    public let labels: ClassLabels
    let options: Options
    private let lazyModel = Mutex<Classifier?>(nil)

    /// Opens the checkpoint at `path`, a directory or a weights file, and packs its weights.
    ///
    /// Errors: `CheckpointError`; `ClassifierError` where it has no head, or where the overrides do not fit it.
    public convenience init(checkpoint path: String, options: Options = Options()) throws {
        try self.init(Checkpoint.open(path), options: options)
        _ = try model()
    }

    /// A classifier that packs the weights when the first picture is there; `labels` stand in for the checkpoint's.
    package init(
        _ checkpoint: Checkpoint, labels: ClassLabels? = nil, options: Options = Options()
    ) throws(ClassifierError) {
        precondition(options.batchSize >= 1, "ImageClassifier: expected a batch of 1 or more, got \(options.batchSize)")
        guard checkpoint.configuration.classCount > 0 else { throw .noHead(path: checkpoint.path) }
        self.checkpoint = checkpoint
        self.labels = labels ?? ClassLabels(checkpoint.labels)
        (configuration, preprocessing) = try options.overrides.apply(
            to: checkpoint.configuration, checkpoint.preprocessing)
        var options = options
        options.decoding.channels = configuration.inputChannels
        self.options = options
    }

    /// The most probable classes of the picture in a file, the best first.
    ///
    /// Errors: `InputError` where the file holds no picture that can be read.
    public func classify(contentsOfFile path: String, top count: Int = 5) throws -> [Prediction] {
        let prepared = try preparation.prepare(.file(path))
        return try classify(prepared, path: path).predictions(top: count)
    }

    /// The most probable classes of a picture in memory, the best first.
    public func classify(_ image: Image, top count: Int = 5) throws -> [Prediction] {
        precondition(
            image.channels == configuration.inputChannels,
            "ImageClassifier: the model takes \(configuration.inputChannels) channels, got \(image.channels)")
        let prepared = try preparation.prepare(image, path: "the picture")
        return try classify(prepared, path: "the picture").predictions(top: count)
    }

    private func classify(_ prepared: PreparedImage, path: String) throws -> Classification {
        let size = configuration.imageSize
        let batch = Tensor(shape: [1, configuration.inputChannels, size.height, size.width])
        preprocessing.normalize(prepared.image, into: batch)
        return try classification(of: prepared, logits: try model().logits(batch).values, path: path)
    }

    /// The model; the first call packs its weights.
    func model() throws -> Classifier {
        try lazyModel.withLock { model in
            if let model { return model }
            let new = try Classifier(
                configuration, from: checkpoint,
                engine: Engines.make(threads: options.threads), batchSize: options.batchSize)
            model = new
            return new
        }
    }
}

extension ImageClassifier {
    /// What is done to a picture before the model sees it.
    var preparation: ImagePreparation {
        ImagePreparation(imageSize: configuration.imageSize, preprocessing: preprocessing, decoding: options.decoding)
    }

    /// What the logits of a picture say.
    func classification(
        of prepared: PreparedImage, logits: [Float], path: String
    ) throws(InputError) -> Classification {
        guard logits.allSatisfy(\.isFinite) else { throw .notFinite(path, weights: checkpoint.path) }
        return Classification(width: prepared.width, height: prepared.height, logits: logits, labels: labels)
    }
}
