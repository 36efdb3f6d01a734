import Compute
import Datasets
import Imaging
import Models
import Support

/// The result for one input.
public struct AttendedInput: Sendable {
    /// The path as given or found; "-" is standard input.
    public let path: String
    /// The attention maps, or why there are none.
    public let result: Result<AttentionMaps, InputError>
}

/// Computes the attention maps of any checkpoint's encoder.
///
/// ```swift
/// let reader = try AttentionReader(checkpoint: "checkpoints/charts-vit-tiny")
/// let sheet = try reader.read(contentsOfFile: "figure.png").drawn(.sheet)
/// ```
public final class AttentionReader: Sendable {
    /// The options.
    public struct Options: ModelRunOptions, Sendable {
        /// The number of threads; nil: as many as the process may use. Results do not depend on it.
        public var threads: Int?
        /// How the model's products of matrices are computed.
        public var precision = Precision.float32
        /// Preprocessing that overrides the checkpoint's.
        public var overrides = PreprocessingOverrides()
        /// Limits and options of decoding.
        public var decoding = DecodingOptions()
        /// The block to read, from 1 to the depth of the model; nil: the last.
        public var layer: Int?

        /// The defaults.
        public init() {}
    }

    /// The checkpoint that the weights come from.
    public let checkpoint: Checkpoint
    /// The model's shape, overrides included.
    public let configuration: ViTConfiguration
    /// The preprocessing, overrides included.
    public let preprocessing: Preprocessing
    /// The block to read, counted from 1.
    public let layer: Int
    private let options: Options
    package let engine: any Engine
    private let lazyModel = Locked<AttentionExtractor?>(nil)

    /// Opens the checkpoint at `path`, a directory or a weights file.
    ///
    /// Errors: `CheckpointError`; `ModelUseError` if the options do not fit the checkpoint.
    public convenience init(checkpoint path: String, options: Options = Options()) throws {
        try self.init(Checkpoint.open(path), options: options)
    }

    /// A reader that packs the weights when the first image arrives.
    package init(_ checkpoint: Checkpoint, options: Options = Options()) throws(ModelUseError) {
        self.checkpoint = checkpoint
        let encoder: ViTConfiguration
        do {
            encoder = try checkpoint.visionTransformer()
        } catch {
            throw .unfitting("\(error.description)")
        }
        (configuration, preprocessing) = try options.overrides.apply(to: encoder, checkpoint.preprocessing)
        layer = options.layer ?? configuration.depth
        guard (1...max(configuration.depth, 1)).contains(layer) else {
            throw .unfitting(
                "\(checkpoint.path): has \(configuration.depth) blocks, counted from 1, and no layer "
                    + "\(layer)")
        }
        var options = options
        options.decoding.channels = configuration.inputChannels
        self.options = options
        engine = Engines.make(threads: options.threads)
    }

    /// The attention maps of the image in a file.
    ///
    /// Errors: `InputError` if the file holds no readable image.
    public func read(contentsOfFile path: String) throws -> AttentionMaps {
        var result: Result<AttentionMaps, InputError>?
        try read([.file(path)]) { result = $0.result }
        guard let result else { throw InputError.malformed(path, "gave no result") }
        return try result.get()
    }

    /// Computes the attention maps of many images and passes each result to `body`, in input order.
    ///
    /// Upcoming images are decoded on other threads. An image that cannot be read yields a failure in its place. An error
    /// thrown by `body` ends the run.
    public func read(_ inputs: [InputPaths.Input], _ body: (AttendedInput) throws -> Void) throws {
        let preparation = ImagePreparation(
            imageSize: configuration.imageSize, preprocessing: preprocessing, decoding: options.decoding)
        let stream = PreparedInputs(inputs: inputs, groupSize: 1, threads: options.threads) {
            (input) throws(InputError) in try preparation.prepare(input)
        }
        let workspace = try AttentionWorkspace(configuration, imageCount: 1)
        try stream.forEachGroup { group in
            for item in group {
                let result: Result<AttentionMaps, InputError>
                switch item.result {
                case .success(let prepared):
                    result = try maps(of: prepared.image, path: item.path, workspace: workspace)
                case .failure(let error): result = .failure(error)
                }
                try body(AttendedInput(path: item.path, result: result))
            }
        }
    }

    private func maps(
        of image: Image, path: String, workspace: AttentionWorkspace
    ) throws -> Result<AttentionMaps, InputError> {
        preprocessing.normalize(image, into: workspace.pixels)
        var rollout = AttentionRollout(tokenCount: configuration.tokenCount, heads: configuration.heads, engine: engine)
        var weights: [Float] = []
        try model().forEachBlock(workspace.pixels, weights: workspace.weights) { block, _ in
            if block == layer { weights = workspace.weights.values }
            rollout.append(workspace.weights)
        }
        guard weights.allSatisfy(\.isFinite) else { return .failure(.notFinite(path, weights: checkpoint.path)) }
        return .success(
            AttentionMaps(
                image: image, layer: layer, weights: weights, rollout: rollout.matrix, configuration: configuration))
    }

    private func model() throws -> AttentionExtractor {
        try lazyModel.withLock { model in
            if let model { return model }
            let new = try AttentionExtractor(
                configuration, layers: layer, from: checkpoint, precision: options.precision, engine: engine,
                batchSize: 1)
            model = new
            return new
        }
    }
}

/// The tensors that attention is computed in.
struct AttentionWorkspace {
    /// (B, C, height, width)
    let pixels: Tensor
    /// (B, H, N, N)
    let weights: Tensor

    /// Errors: `MemoryShortage`.
    init(_ configuration: ViTConfiguration, imageCount: Int) throws(MemoryShortage) {
        try MemoryNeed.attention(configuration, imageCount: imageCount).check()
        pixels = Tensor(shape: configuration.imageShape(count: imageCount))
        let tokenCount = configuration.tokenCount
        weights = Tensor(shape: [imageCount, configuration.heads, tokenCount, tokenCount])
    }
}

/// The attention rollout, block by block (Abnar and Zuidema 2020, section 3.1).
struct AttentionRollout {
    private let tokenCount: Int
    private let heads: Int
    private let engine: any Engine
    /// The transpose of the product so far, and the buffer for the next one: the engine multiplies by the transpose of the
    /// right operand.
    private var transposed: Tensor
    private var next: Tensor
    /// 0.5 · (mean over the heads) + 0.5 · I.
    private let step: Tensor

    init(tokenCount: Int, heads: Int, engine: any Engine) {
        self.tokenCount = tokenCount
        self.heads = heads
        self.engine = engine
        var identity = [Float](repeating: 0, count: tokenCount * tokenCount)
        for token in 0..<tokenCount { identity[token * tokenCount + token] = 1 }
        transposed = Tensor(identity, shape: [tokenCount, tokenCount])
        next = Tensor(shape: [tokenCount, tokenCount])
        step = Tensor(shape: [tokenCount, tokenCount])
    }

    /// Appends the weights (1, H, N, N) of the next block: the product P becomes step · P, its transpose Pᵀ · stepᵀ.
    mutating func append(_ weights: Tensor) {
        engine.fillRows(of: step) { row, values in
            weights.withNumbers { weights in
                for column in 0..<tokenCount {
                    var sum: Float = 0
                    for head in 0..<heads { sum += weights[(head * tokenCount + row) * tokenCount + column] }
                    values[column] = sum / (2 * Float(heads))
                }
            }
            values[row] += 0.5
        }
        engine.linear(
            transposed, engine.linearWeights(step, precision: .float32, changes: true), bias: nil,
            epilogue: LinearEpilogue(), into: next)
        swap(&transposed, &next)
    }

    /// The product (N, N).
    var matrix: [Float] {
        let values = transposed.values
        return (0..<values.count).map { values[$0 % tokenCount * tokenCount + $0 / tokenCount] }
    }
}
