import Compute
import Models

/// A vision tower that scores images by their likeness to texts: a classifier whose head was computed from words.
struct TextClassifier: LogitsModel {
    private let configuration: TwoTowerConfiguration
    private let features: FeatureExtractor
    private let engine: any Engine
    /// (classes, P), of length 1 each
    private let classes: Tensor
    private let scale: Float
    private let bias: Float

    /// Builds the vision tower, and embeds the texts of the classes.
    ///
    /// - Parameters:
    ///   - vision: the shape of the vision tower, overrides included.
    ///   - progress: receives the number of texts done.
    init(
        _ checkpoint: Checkpoint, vision: any ModelConfiguration, texts: ClassTexts, options: ImageClassifier.Options,
        precision: Precision, engine: any Engine, progress: (Int) throws -> Void
    ) throws {
        var textOptions = TextEmbedder.Options()
        (textOptions.precision, textOptions.isNormalized) = (precision, true)
        textOptions.tokenizer = options.tokenizer
        let embedder = try TextEmbedder(checkpoint, options: textOptions, engine: engine)
        configuration = embedder.configuration
        classes = try embedder.embed(texts, progress: progress)
        (scale, bias) = try configuration.scale(from: checkpoint)
        features = try FeatureExtractor(
            vision, pooling: configuration.headPooling, from: checkpoint, precision: precision, engine: engine,
            batchSize: options.batchSize)
        self.engine = engine
    }

    /// The scores (B, classes) of images (B, C, height, width).
    func logits(_ images: Tensor, into result: Tensor) {
        let embeddings = Tensor(shape: [images.shape[0], configuration.embeddingWidth])
        features.features(images, into: embeddings)
        engine.normalizeRows(embeddings)
        engine.matmul(
            .matrices(embeddings), MatrixBatch.matrices(classes).transposed, scale: scale, accumulates: false,
            into: .matrices(result))
        if bias != 0 { result.assign(result.values.map { $0 + bias }) }
    }
}

extension TextEmbedder {
    /// A vector of length 1 for each class (classes, P): the mean of its texts' vectors (Radford et al. 2021, section 3.1.4).
    fileprivate func embed(_ texts: ClassTexts, progress: (Int) throws -> Void) throws -> Tensor {
        var rows: [Float] = []
        rows.reserveCapacity(texts.names.count * width)
        // Enough at a time to find texts of one length.
        let classesPerPass = max(1, Self.textsPerPass / texts.prompts.count)
        for first in stride(from: 0, to: texts.names.count, by: classesPerPass) {
            let range = first..<min(first + classesPerPass, texts.names.count)
            let vectors = try embed(range.flatMap { texts.texts(ofClass: $0) })
            for index in range.indices {
                let start = (index - first) * texts.prompts.count
                rows += TextEmbedder.mean(vectors[start..<start + texts.prompts.count])
            }
            try progress(range.upperBound * texts.prompts.count)
        }
        return Tensor(rows, shape: [texts.names.count, width])
    }

    private static let textsPerPass = 1024

    /// The mean of vectors, divided by its length.
    package static func mean(_ vectors: some Collection<[Float]>) -> [Float] {
        var sum = [Double](repeating: 0, count: vectors.first?.count ?? 0)
        for vector in vectors { for index in sum.indices { sum[index] += Double(vector[index]) } }
        let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return sum.map { Float(length > 0 ? $0 / length : 0) }
    }
}
