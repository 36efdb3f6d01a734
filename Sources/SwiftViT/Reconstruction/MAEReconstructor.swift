import Compute
import Datasets
import Imaging
import Models
import Randomness
import Support

/// Masks images and reconstructs them with a masked autoencoder.
///
/// ```swift
/// let reconstructor = try MAEReconstructor(checkpoint: "runs/tiles/model")
/// let reconstruction = try reconstructor.reconstruct(contentsOfFile: "tile.png")
/// let panels = reconstruction.panels()
/// ```
public final class MAEReconstructor: Sendable {
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
        /// The share of patches that is removed, from 0 up and below 1; nil: the checkpoint's, or 0.75 where it states none.
        public var maskRatio: Double?
        /// How the removed patches are sampled.
        public var sampling = MaskSampling.random
        /// The random seed of the masks; each input has a mask of its own.
        public var seed: UInt64 = 0
        /// What the decoder predicts, normalised patches or pixels; nil: what the checkpoint states.
        public var target: MAEConfiguration.Target?

        /// The defaults.
        public init() {}
    }

    /// The checkpoint that the weights come from.
    public let checkpoint: Checkpoint
    /// The model's shape and task, overrides included.
    public let configuration: MAEConfiguration
    /// The preprocessing, overrides included.
    public let preprocessing: Preprocessing
    let options: Options
    package let engine: any Engine
    private let lazyModel = Locked<MaskedAutoencoder?>(nil)

    /// Opens the checkpoint at `path`, a directory or a weights file.
    ///
    /// Errors: `CheckpointError`; `ModelUseError` if the checkpoint has no decoder, or if the options do not fit it.
    public convenience init(checkpoint path: String, options: Options = Options()) throws {
        try self.init(Checkpoint.open(path), options: options)
    }

    /// A reconstructor that packs the weights when the first image arrives.
    package init(_ checkpoint: Checkpoint, options: Options = Options()) throws(ModelUseError) {
        precondition(
            options.batchSize >= 1, "MAEReconstructor: expected a batch of 1 or more, got \(options.batchSize)")
        self.checkpoint = checkpoint
        (configuration, preprocessing) = try Self.configuration(checkpoint, options)
        var options = options
        options.decoding.channels = configuration.encoder.inputChannels
        self.options = options
        engine = Engines.make(threads: options.threads)
    }

    private static func configuration(
        _ checkpoint: Checkpoint, _ options: Options
    ) throws(ModelUseError) -> (MAEConfiguration, Preprocessing) {
        guard let trained = checkpoint.configuration as? MAEConfiguration else {
            throw .noDecoder(path: checkpoint.path)
        }
        let (encoder, preprocessing) = try options.overrides.apply(to: trained.encoder, checkpoint.preprocessing)
        guard encoder.hasClassToken, encoder.prefixCount == 1, encoder.prefixHasPosition else {
            throw .unfitting(
                "\(checkpoint.path): a masked autoencoder has a class token with a position, and no other prefix tokens; "
                    + "this one has \(encoder.prefixCount) prefix tokens")
        }
        var configuration = MAEConfiguration(encoder: encoder, decoder: trained.decoder)
        // transformers users set a ratio of 0 to get features of whole images; no model is trained with it.
        let statedRatio = trained.maskRatio > 0 ? trained.maskRatio : configuration.maskRatio
        configuration.maskRatio = options.maskRatio ?? statedRatio
        configuration.target = options.target ?? trained.target
        guard [.normalized, .pixels].contains(configuration.target) else {
            throw .unfitting(
                "the target \(configuration.target.rawValue) predicts no pixels that can be shown; expected normalized or pixels"
            )
        }
        guard configuration.maskRatio >= 0, configuration.maskRatio < 1, configuration.keptCount > 0 else {
            throw .unfitting(
                "a mask ratio of \(configuration.maskRatio) leaves none of the \(encoder.patchCount) patches; the encoder "
                    + "needs one at least, and 0.75 is usual")
        }
        return (configuration, preprocessing)
    }

    /// Masks and reconstructs the image in a file.
    ///
    /// Errors: `InputError` if the file holds no readable image.
    public func reconstruct(contentsOfFile path: String) throws -> Reconstruction {
        var result: Result<Reconstruction, InputError>?
        try reconstruct([.file(path)]) { result = $0.result }
        guard let result else { throw InputError.malformed(path, "gave no result") }
        return try result.get()
    }

    /// The model for batches of `batchSize` images; the first call packs its weights.
    func model(batchSize: Int) throws -> MaskedAutoencoder {
        try MemoryNeed.inference(configuration, imageCount: batchSize).check()
        return try lazyModel.withLock { model in
            if let model { return model.sized(for: batchSize) }
            let new = try MaskedAutoencoder(
                configuration, from: checkpoint, positions: MAEPositions(configuration, from: checkpoint),
                isTrained: false, precision: options.precision, engine: engine
            ) { _ in batchSize }
            model = new
            return new
        }
    }

    /// The noise of the input at `index`, one number per patch; the patches with the lowest are kept.
    func noise(at index: Int) -> [Float] {
        var random = CounterRandom(seed: options.seed, purpose: .masking, index: index)
        return options.sampling.noise(
            grid: configuration.encoder.grid, keptCount: configuration.keptCount, random: &random)
    }

    /// What is done to an image before it enters the model.
    var preparation: ImagePreparation {
        ImagePreparation(
            imageSize: configuration.encoder.imageSize, preprocessing: preprocessing, decoding: options.decoding)
    }

    var painter: PatchPainter {
        PatchPainter(
            patch: configuration.encoder.patchSize, preprocessing: preprocessing,
            isNormalized: configuration.target == .normalized)
    }
}
