import Checkpoints
import Compute
import Datasets
import Imaging
import Models

/// What goes on inside an encoder while it sees pictures: how far its heads look, and how its layers differ.
public struct LayerStatistics: Sendable {
    /// The pictures that were seen.
    public let pictureCount: Int
    /// For each block and head, how far apart, in pixels, a patch and those it attends to are, on average over queries
    /// and pictures; attention to tokens that are no patches is left out.
    ///
    /// Dosovitskiy et al. 2021, section 4.5; Raghu et al. 2021, section 3.
    public let meanDistances: [[Double]]
    /// Linear CKA between the outputs of each pair of blocks, row by row; nil for fewer than four pictures.
    public let similarities: [Double]?

    /// Pictures that are seen together, and minibatches of CKA.
    private static let batchSize = 16

    /// Shows pictures to the encoder of a checkpoint; those that cannot be read are told to `failed` and left out.
    package init(
        _ checkpoint: Checkpoint, overrides: PreprocessingOverrides = PreprocessingOverrides(),
        inputs: [InputPaths.Input], decoding: DecodingOptions = DecodingOptions(), threads: Int? = nil,
        failed: (InputError) throws -> Void
    ) throws {
        let (configuration, preprocessing) = try overrides.apply(to: checkpoint.configuration, checkpoint.preprocessing)
        var decoding = decoding
        decoding.channels = configuration.inputChannels
        let preparation = ImagePreparation(
            imageSize: configuration.imageSize, preprocessing: preprocessing, decoding: decoding)
        let stream = PreparedInputs(inputs: inputs, groupSize: Self.batchSize, threads: threads) {
            (input) throws(InputError) in try preparation.prepare(input)
        }
        let engine = Engines.make(threads: threads)
        let batchSize = min(Self.batchSize, max(inputs.count, 1))
        let model = try AttentionExtractor(configuration, from: checkpoint, engine: engine, batchSize: batchSize)
        let workspace = AttentionWorkspace(configuration, imageCount: batchSize)
        let distances = PatchDistances(configuration)
        var sums = [[Double]](
            repeating: [Double](repeating: 0, count: configuration.heads), count: configuration.depth)
        var similarity = LayerSimilarity(layerCount: configuration.depth)
        var count = 0
        try stream.forEachGroup { group in
            var pictures = 0
            for item in group {
                switch item.result {
                case .success(let picture):
                    preprocessing.normalize(picture.image, into: workspace.pixels.rows(pictures..<pictures + 1))
                    pictures += 1
                case .failure(let error): try failed(error)
                }
            }
            if pictures == 0 { return }
            count += pictures
            let weights = workspace.weights.rows(0..<pictures)
            model.forEachBlock(workspace.pixels.rows(0..<pictures), weights: weights) { block, tokens in
                distances.add(weights, engine: engine, to: &sums[block - 1])
                similarity.append(tokens, engine: engine)
            }
        }
        pictureCount = count
        meanDistances = sums.map { $0.map { $0 / Double(max(count, 1)) } }
        similarities = similarity.matrix
    }
}

/// How far apart patches are.
private struct PatchDistances {
    private let tokenCount: Int
    private let prefix: Int
    /// In pixels, from each patch to each (L, L).
    private let distances: [Float]

    init(_ configuration: ViTConfiguration) {
        tokenCount = configuration.tokenCount
        prefix = configuration.prefixCount
        let (grid, patch) = (configuration.grid, configuration.patchSize)
        let places = (0..<configuration.patchCount).map { index in
            (x: Double(index % grid.width * patch.width), y: Double(index / grid.width * patch.height))
        }
        distances = places.flatMap { from in
            places.map { to in
                Float(((from.x - to.x) * (from.x - to.x) + (from.y - to.y) * (from.y - to.y)).squareRoot())
            }
        }
    }

    /// Adds the mean distance of each head for every picture of `weights` (B, H, N, N).
    func add(_ weights: Tensor, engine: any Engine, to sums: inout [Double]) {
        let heads = weights.shape[1]
        let means = Tensor(shape: [weights.shape[0] * heads])
        let matrices = weights.reshaped([means.count, tokenCount * tokenCount])
        engine.readRows(of: matrices) { row, weights in means.assign([Float(mean(weights))], at: row) }
        for (index, mean) in means.values.enumerated() { sums[index % heads] += Double(mean) }
    }

    private func mean(_ weights: Span<Float>) -> Double {
        let patchCount = tokenCount - prefix
        var sum = 0.0
        for query in 0..<patchCount {
            let row = (prefix + query) * tokenCount + prefix
            var (weighted, total) = (0.0, 0.0)
            for key in 0..<patchCount {
                let weight = Double(weights[row + key])
                weighted += weight * Double(distances[query * patchCount + key])
                total += weight
            }
            if total > 0 { sum += weighted / total }
        }
        return sum / Double(patchCount)
    }
}
