import Communication
import Compute
import Datasets
import Imaging
import Models
import Support

/// Classifies images with a Vision Transformer from a checkpoint.
///
/// ```swift
/// let classifier = try ImageClassifier(checkpoint: "checkpoints/charts-vit-tiny")
/// let predictions = try classifier.classify(contentsOfFile: "figure.png", top: 5)
/// ```
public final class ImageClassifier: Sendable {
    /// The options.
    public struct Options: ModelRunOptions, Sendable {
        /// The number of threads; nil: as many as the process may use. Results do not depend on it.
        public var threads: Int?
        /// Images per forward pass, 1 or more. Results do not depend on it.
        public var batchSize = 8
        /// How the model's products of matrices are computed.
        public var precision = Precision.float32
        /// Preprocessing that overrides the checkpoint's.
        public var overrides = PreprocessingOverrides()
        /// What makes scores of the logits; nil: as the checkpoint has it, see `Checkpoint.headActivation`.
        public var activation: HeadActivation?
        /// The tokenizer's file or directory, for classes in words; nil: the checkpoint's own.
        public var tokenizer: String?
        /// Limits and options of decoding.
        public var decoding = DecodingOptions()
        /// The processes that share many images.
        package var communicator: any Communicator = SingleProcess()

        /// The defaults.
        public init() {}
    }

    /// The checkpoint that the weights come from.
    public let checkpoint: Checkpoint
    /// The model's shape, overrides included.
    public let configuration: any ModelConfiguration
    /// The preprocessing, overrides included.
    public let preprocessing: Preprocessing
    /// The names of the classes.
    public let labels: ClassLabels
    /// What makes scores of the logits.
    public let activation: HeadActivation
    /// The number of classes.
    public var classCount: Int { texts?.names.count ?? configuration.classCount }
    /// The classes in words; nil for a model with a head.
    package let texts: ClassTexts?
    let options: Options
    package let engine: any Engine
    private let lazyModel = Locked<(any LogitsModel)?>(nil)

    /// Opens the checkpoint at `path`, a directory or a weights file, and packs its weights.
    ///
    /// Errors: `CheckpointError`; `ModelUseError` if the checkpoint has no head, or if the overrides do not fit it.
    public convenience init(checkpoint path: String, options: Options = Options()) throws {
        try self.init(Checkpoint.open(path), options: options)
        _ = try model()
    }

    /// Opens the checkpoint of a model that compares images with words (CLIP, SigLIP), and embeds the texts of the classes.
    ///
    /// ```swift
    /// let classes = try ClassTexts(["cat", "dog"], prompts: ["a photo of a {}."])
    /// let classifier = try ImageClassifier(checkpoint: "checkpoints/clip", classes: classes)
    /// ```
    /// Errors: `CheckpointError`; `TokenizerError`; `ModelUseError` if the checkpoint has no text tower, or if the overrides
    /// do not fit it.
    public convenience init(checkpoint path: String, classes: ClassTexts, options: Options = Options()) throws {
        try self.init(Checkpoint.open(path), texts: classes, options: options)
        _ = try model()
    }

    /// A classifier that packs the weights when the first image arrives.
    ///
    /// - Parameters:
    ///   - labels: replace the checkpoint's.
    ///   - texts: the classes of a model that compares images with words.
    package init(
        _ checkpoint: Checkpoint, labels: ClassLabels? = nil, texts: ClassTexts? = nil, options: Options = Options()
    ) throws(ModelUseError) {
        precondition(options.batchSize >= 1, "ImageClassifier: expected a batch of 1 or more, got \(options.batchSize)")
        try Self.check(checkpoint, texts)
        self.checkpoint = checkpoint
        self.texts = texts
        self.labels = labels ?? ClassLabels(texts?.names ?? checkpoint.labels)
        activation = options.activation ?? checkpoint.headActivation
        (configuration, preprocessing) = try options.overrides.apply(
            to: checkpoint.configuration.backbone, checkpoint.preprocessing)
        var options = options
        options.decoding.channels = configuration.inputChannels
        self.options = options
        engine = Engines.make(threads: options.threads)
    }

    /// The most probable classes of the image in a file, most probable first.
    ///
    /// Errors: `InputError` if the file holds no readable image.
    public func classify(contentsOfFile path: String, top count: Int = 5) throws -> [Prediction] {
        let prepared = try preparation.prepare(.file(path))
        return try classify(prepared, path: path).predictions(top: count)
    }

    /// The most probable classes of an image in memory, most probable first.
    public func classify(_ image: Image, top count: Int = 5) throws -> [Prediction] {
        precondition(
            image.channels == configuration.inputChannels,
            "ImageClassifier: the model takes \(configuration.inputChannels) channels, got \(image.channels)")
        let prepared = try preparation.prepare(image, path: "the image")
        return try classify(prepared, path: "the image").predictions(top: count)
    }

    private func classify(_ prepared: PreparedImage, path: String) throws -> Classification {
        let batch = Tensor(shape: configuration.imageShape(count: 1))
        preprocessing.normalize(prepared.image, into: batch)
        let logits = Tensor(shape: [1, classCount])
        try model().logits(batch, into: logits)
        return try classification(
            ComputedLogits(width: prepared.width, height: prepared.height, logits: [logits.values]), path: path)
    }

    /// The model; the first call packs its weights, and embeds the texts of the classes.
    ///
    /// - Parameter progress: receives the number of texts that are embedded.
    @discardableResult
    package func model(progress: (Int) throws -> Void = { _ in }) throws -> any LogitsModel {
        try lazyModel.withLock { model in
            if let model { return model }
            let new = try self.model(options.precision, progress: progress)
            model = new
            return new
        }
    }

    /// A new model with weights packed for a precision.
    func model(
        _ precision: Precision, progress: (Int) throws -> Void = { _ in }
    ) throws -> any LogitsModel {
        try MemoryNeed.inference(configuration, imageCount: options.batchSize).check()
        if let texts {
            return try TextClassifier(
                checkpoint, vision: configuration, texts: texts, options: options, precision: precision, engine: engine,
                progress: progress)
        }
        return try Classifier(
            configuration, from: checkpoint, precision: precision, engine: engine, batchSize: options.batchSize)
    }
}

extension ImageClassifier {
    private static func check(_ checkpoint: Checkpoint, _ texts: ClassTexts?) throws(ModelUseError) {
        let hasTextTower = checkpoint.configuration is TwoTowerConfiguration
        if texts != nil {
            guard hasTextTower else { throw .noTextTower(path: checkpoint.path) }
        } else {
            if hasTextTower { throw .noClasses(path: checkpoint.path) }
            guard checkpoint.configuration.classCount > 0 else { throw .noHead(path: checkpoint.path) }
        }
    }

    /// What is done to an image before it enters the model.
    var preparation: ImagePreparation {
        ImagePreparation(imageSize: configuration.imageSize, preprocessing: preprocessing, decoding: options.decoding)
    }

    /// The classification with the first of these logits.
    func classification(_ computed: ComputedLogits, path: String) throws(InputError) -> Classification {
        let logits = computed.logits[0]
        guard logits.allSatisfy(\.isFinite) else { throw .notFinite(path, weights: checkpoint.path) }
        return Classification(
            width: computed.width, height: computed.height, logits: logits, labels: labels, activation: activation)
    }
}
