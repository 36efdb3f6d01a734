import Compute
import Datasets
import Imaging
import Models

/// The attention distance of an encoder's heads and the similarity of its layers, over some images.
public struct LayerStatistics: Sendable {
    /// The number of images.
    public let imageCount: Int
    /// For each block and head, the mean distance in pixels between a patch and those it attends to, averaged over queries
    /// and images; attention to tokens other than patches is left out.
    ///
    /// Dosovitskiy et al. 2021, section 4.5; Raghu et al. 2021, section 3.
    public let meanDistances: [[Double]]
    /// Linear CKA between the outputs of each pair of blocks, row by row; nil for fewer than four images.
    public let similarities: [Double]?

    /// Images per forward pass, and per minibatch of CKA.
    private static let batchSize = 16

    package init(imageCount: Int, meanDistances: [[Double]], similarities: [Double]?) {
        (self.imageCount, self.meanDistances, self.similarities) = (imageCount, meanDistances, similarities)
    }

    /// Runs the encoder of a checkpoint over images; those that cannot be read are passed to `failed` and left out.
    ///
    /// `note` receives a sentence where the system has fewer threads.
    package init(
        _ checkpoint: Checkpoint, overrides: PreprocessingOverrides = PreprocessingOverrides(),
        inputs: [InputPaths.Input], decoding: DecodingOptions = DecodingOptions(), threads: Int? = nil,
        note: (String) -> Void = { _ in }, failed: (InputError) throws -> Void
    ) throws {
        let (configuration, preprocessing) = try overrides.apply(
            to: checkpoint.visionTransformer(), checkpoint.preprocessing)
        var decoding = decoding
        decoding.channels = configuration.inputChannels
        let preparation = ImagePreparation(
            imageSize: configuration.imageSize, preprocessing: preprocessing, decoding: decoding)
        let stream = PreparedInputs(inputs: inputs, groupSize: Self.batchSize, threads: threads) {
            (input) throws(InputError) in try preparation.prepare(input)
        }
        let engine = Engines.make(threads: threads)
        if let shortage = engine.shortage(of: threads) { note(shortage) }
        let batchSize = min(Self.batchSize, max(inputs.count, 1))
        let model = try AttentionExtractor(configuration, from: checkpoint, engine: engine, batchSize: batchSize)
        let workspace = try AttentionWorkspace(configuration, imageCount: batchSize)
        let distances = PatchDistances(configuration)
        var sums = [[Double]](
            repeating: [Double](repeating: 0, count: configuration.heads), count: configuration.depth)
        var similarity = LayerSimilarity(layerCount: configuration.depth)
        var count = 0
        try stream.forEachGroup { group in
            var imageCount = 0
            for item in group {
                switch item.result {
                case .success(let prepared):
                    preprocessing.normalize(prepared.image, into: workspace.pixels.rows(imageCount..<imageCount + 1))
                    imageCount += 1
                case .failure(let error): try failed(error)
                }
            }
            if imageCount == 0 { return }
            count += imageCount
            let weights = workspace.weights.rows(0..<imageCount)
            model.forEachBlock(workspace.pixels.rows(0..<imageCount), weights: weights) { block, tokens in
                distances.add(weights, engine: engine, to: &sums[block - 1])
                similarity.append(tokens, engine: engine)
            }
        }
        imageCount = count
        meanDistances = sums.map { $0.map { $0 / Double(max(count, 1)) } }
        similarities = similarity.matrix
    }
}

/// The distances between patches.
private struct PatchDistances {
    private let tokenCount: Int
    private let prefix: Int
    /// In pixels, between each pair of patches (L, L).
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

    /// Adds the mean distance of each head for every image of `weights` (B, H, N, N).
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
