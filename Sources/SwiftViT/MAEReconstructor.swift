import Checkpoints
import Compute
import Datasets
import Imaging
import Models
import Randomness
import Support
import Synchronization

/// Shows what a masked autoencoder makes of pictures of which it sees a part.
///
/// ```swift
/// let reconstructor = try MAEReconstructor(checkpoint: "runs/tiles/model")
/// let reconstruction = try reconstructor.reconstruct(contentsOfFile: "tile.png")
/// let panels = reconstruction.panels()
/// ```
public final class MAEReconstructor: Sendable {
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
        /// The share of patches that is removed, from 0 up and below 1; nil: the checkpoint's, or 0.75 where it states none.
        public var maskRatio: Double?
        /// How they are drawn.
        public var sampling = MaskSampling.random
        /// Decides which patches are removed, together with the place of a picture among the inputs.
        public var seed: UInt64 = 0
        /// What the decoder gives, normalised patches or pixels; nil: what the checkpoint says.
        public var target: MAEConfiguration.Target?

        /// The defaults.
        public init() {}
    }

    /// The checkpoint that the weights come from.
    public let checkpoint: Checkpoint
    /// The model's shape and task, overrides included.
    public let configuration: MAEConfiguration
    /// What happens to a picture before the model sees it, overrides included.
    public let preprocessing: Preprocessing
    let options: Options
    let engine: any Engine
    private let lazyModel = Mutex<MaskedAutoencoder?>(nil)

    /// Opens the checkpoint at `path`, a directory or a weights file.
    ///
    /// Errors: `CheckpointError`; `ReconstructionError` where it has no decoder, or where the options do not fit it.
    public convenience init(checkpoint path: String, options: Options = Options()) throws {
        try self.init(Checkpoint.open(path), options: options)
    }

    /// A reconstructor that packs the weights when the first picture is there.
    package init(_ checkpoint: Checkpoint, options: Options = Options()) throws(ReconstructionError) {
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
    ) throws(ReconstructionError) -> (MAEConfiguration, Preprocessing) {
        guard let decoder = checkpoint.maeDecoder else { throw .noDecoder(path: checkpoint.path) }
        let encoder: ViTConfiguration
        let preprocessing: Preprocessing
        do throws(ClassifierError) {
            (encoder, preprocessing) = try options.overrides.apply(
                to: checkpoint.configuration, checkpoint.preprocessing)
        } catch {
            throw .unfitting(error.description)
        }
        guard encoder.hasClassToken, encoder.prefixCount == 1, encoder.prefixHasPosition else {
            throw .unfitting(
                "\(checkpoint.path): a masked autoencoder has a class token with a position, and no other token before "
                    + "the patches; this one has \(encoder.prefixCount)")
        }
        var configuration = MAEConfiguration(encoder: encoder, decoder: decoder)
        // transformers is told a ratio of 0 to get features of whole images; no model is trained with it.
        let statedRatio = checkpoint.maeMaskRatio.flatMap { $0 > 0 ? $0 : nil }
        configuration.maskRatio = options.maskRatio ?? statedRatio ?? configuration.maskRatio
        configuration.target = options.target ?? checkpoint.maeTarget ?? .normalized
        guard [.normalized, .pixels].contains(configuration.target) else {
            throw .unfitting("the target \(configuration.target.rawValue) gives no pixels to show; expected pixels")
        }
        guard configuration.maskRatio >= 0, configuration.maskRatio < 1, configuration.keptCount > 0 else {
            throw .unfitting(
                "a mask ratio of \(configuration.maskRatio) leaves none of the \(encoder.patchCount) patches; the encoder "
                    + "needs one at least, and 0.75 is usual")
        }
        return (configuration, preprocessing)
    }

    /// The picture in a file, masked and completed.
    ///
    /// Errors: `InputError` where the file holds no picture that can be read.
    public func reconstruct(contentsOfFile path: String) throws -> Reconstruction {
        var result: Result<Reconstruction, InputError>?
        try reconstruct([.file(path)]) { result = $0.result }
        guard let result else { throw InputError.malformed(path, "gave no result") }
        return try result.get()
    }

    /// The model with room for `batchSize` pictures; the first call packs its weights.
    func model(batchSize: Int) throws -> MaskedAutoencoder {
        try lazyModel.withLock { model in
            if let model { return model.sized(for: batchSize) }
            let new = try MaskedAutoencoder(
                configuration, from: checkpoint, positions: MAEPositions(configuration, from: checkpoint),
                isTrained: false, engine: engine
            ) { _ in batchSize }
            model = new
            return new
        }
    }

    /// Random numbers for the patches of the picture at `index` among the inputs; the smallest stay.
    func noise(at index: Int) -> [Float] {
        var random = CounterRandom(seed: options.seed, purpose: .masking, index: index)
        return options.sampling.noise(
            grid: configuration.encoder.grid, keptCount: configuration.keptCount, random: &random)
    }

    /// What is done to a picture before the model sees it.
    var preparation: ImagePreparation {
        ImagePreparation(
            imageSize: configuration.encoder.imageSize, preprocessing: preprocessing, decoding: options.decoding)
    }

    var painter: PatchPainter {
        let patch = configuration.encoder.patchSize
        return PatchPainter(
            patch: Size(height: patch.height, width: patch.width), preprocessing: preprocessing,
            isNormalized: configuration.target == .normalized)
    }
}
