import Communication
import Compute
import Datasets
import Imaging
import Models
import Support

/// Embeds images with the encoder of any checkpoint: a classifier's, or a masked autoencoder's, which receives all patches
/// here.
///
/// ```swift
/// let embedder = try ImageEmbedder(checkpoint: "checkpoints/charts-vit-tiny")
/// let vector = try embedder.embed(contentsOfFile: "figure.png").values
/// ```
public final class ImageEmbedder: Sendable {
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
        /// Limits and options of decoding.
        public var decoding = DecodingOptions()
        /// The pooling; nil: what the checkpoint's head reads.
        public var pooling: FeaturePooling?
        /// The number of blocks after which the tokens are read: 0, the patch embeddings, to the depth of the model; nil:
        /// after all blocks and the final norm. These are the indices of transformers' `hidden_states`.
        public var layer: Int?
        /// Whether each vector is divided by its Euclidean length; each patch by its own.
        public var isNormalized = false
        /// Replaces the checkpoint's weights by initial ones drawn from this seed, as a baseline; the shape of the model and
        /// the preprocessing stay. Position embeddings are MAE's sine-cosine table if the checkpoint is a masked
        /// autoencoder; otherwise they are drawn, too.
        public var randomSeed: UInt64?
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
    /// The pooling.
    public let pooling: FeaturePooling
    let options: Options
    package let engine: any Engine
    private let lazyModel = Locked<FeatureExtractor?>(nil)

    /// Opens the checkpoint at `path`, a directory or a weights file.
    ///
    /// Errors: `CheckpointError`; `ModelUseError` if the options do not fit the checkpoint.
    public convenience init(checkpoint path: String, options: Options = Options()) throws {
        try self.init(Checkpoint.open(path), options: options)
    }

    /// An embedder that packs the weights when the first image arrives.
    package init(_ checkpoint: Checkpoint, options: Options = Options()) throws(ModelUseError) {
        precondition(options.batchSize >= 1, "ImageEmbedder: expected a batch of 1 or more, got \(options.batchSize)")
        self.checkpoint = checkpoint
        (configuration, preprocessing) = try options.overrides.apply(
            to: checkpoint.configuration.backbone, checkpoint.preprocessing)
        let depth = configuration.depth
        if let layer = options.layer, !(0...depth).contains(layer) {
            throw ModelUseError.unfitting(
                "\(checkpoint.path): has \(depth) blocks, so layers 0 to \(depth) can be read, and not "
                    + "\(layer)")
        }
        pooling = options.pooling ?? configuration.defaultPooling(afterBlocks: options.layer)
        if let obstacle = configuration.obstacle(to: pooling, afterBlocks: options.layer) {
            throw ModelUseError.unfitting("\(checkpoint.path): has \(obstacle); read the mean or the patches")
        }
        var options = options
        options.decoding.channels = configuration.inputChannels
        self.options = options
        engine = Engines.make(threads: options.threads)
    }

    /// The fingerprint of the checkpoint's text tower; nil where the embeddings are not what it compares texts with.
    func textProbe() throws -> [Float]? {
        guard let whole = checkpoint.configuration as? TwoTowerConfiguration, pooling == configuration.headPooling,
            options.layer == nil, options.randomSeed == nil
        else { return nil }
        return try TextProbe.values(
            TextEncoder(whole.text, from: checkpoint, precision: options.precision, engine: engine, batchSize: 1))
    }

    /// The shape of an embedding: (D), (2·D) with class token and mean, or (L, D) with all patches.
    public var shape: [Int] { configuration.featureShape(pooling) }

    /// The embedding of the image in a file.
    ///
    /// Errors: `InputError` if the file holds no readable image.
    public func embed(contentsOfFile path: String) throws -> Embedding {
        var result: Result<Embedding, InputError>?
        try embed([.file(path)]) { result = $0.result }
        guard let result else { throw InputError.malformed(path, "gave no result") }
        return try result.get()
    }

    /// The embedding of an image in memory, of `shape`.
    public func embed(_ image: Image) throws -> [Float] {
        precondition(
            image.channels == configuration.inputChannels,
            "ImageEmbedder: the model takes \(configuration.inputChannels) channels, got \(image.channels)")
        let prepared = try preparation.prepare(image, path: "the image")
        return try embed(prepared: prepared.image)
    }

    /// The embedding of an image that has the model's input size.
    func embed(prepared image: Image) throws -> [Float] {
        let batch = EmbeddingBatch(self, capacity: 1, model: try model())
        return try batch.embed([image], paths: ["the image"])[0].get()
    }

    /// What is done to an image before it enters the model.
    var preparation: ImagePreparation {
        ImagePreparation(imageSize: configuration.imageSize, preprocessing: preprocessing, decoding: options.decoding)
    }

    /// The model; the first call packs its weights.
    func model() throws -> FeatureExtractor {
        try lazyModel.withLock { model in
            if let model { return model }
            try MemoryNeed.inference(configuration, imageCount: options.batchSize).check()
            let new = try options.randomSeed.map(randomModel) ?? trainedModel()
            model = new
            return new
        }
    }

    private func trainedModel() throws -> FeatureExtractor {
        try FeatureExtractor(
            configuration, pooling: pooling, layer: options.layer, from: checkpoint, precision: options.precision,
            engine: engine,
            batchSize: options.batchSize)
    }

    private func randomModel(seed: UInt64) throws -> FeatureExtractor {
        return try FeatureExtractor(
            configuration, pooling: pooling, layer: options.layer,
            from: FrozenParameters(
                randomFor: configuration, hasSinCosPositions: checkpoint.configuration.hasFixedPositions, seed: seed),
            precision: options.precision, engine: engine, batchSize: options.batchSize)
    }
}

/// The embedding of an image, with the digest of its file.
public struct Embedding: Sendable {
    /// The numbers, in the order of the embedder's `shape`.
    public let values: [Float]
    /// The SHA-256 of the file, in 64 hexadecimal digits.
    public var sha256: String { digest.hex }

    package let digest: SHA256
}
