import Compute
import Layers
import LibC

/// A model that compares images with texts (CLIP, SigLIP): embeddings of both, and scores of each pair.
///
/// ```swift
/// let model = try TwoTowerModel(Checkpoint.open("checkpoints/clip"))
/// let logits = model.logits(images: model.imageEmbeddings(images), texts: try model.textEmbeddings(tokens))
/// ```
public final class TwoTowerModel: Sendable {
    /// The shape of the model.
    public let configuration: TwoTowerConfiguration
    /// What the cosine of an image and a text is multiplied by.
    public let logitScale: Float
    /// What is added to that; 0 where the model has no bias.
    public let logitBias: Float
    private let engine: any Engine
    private let images: FeatureExtractor
    private let texts: TextEncoder

    /// Builds both towers of a checkpoint.
    ///
    /// - Parameters:
    ///   - precision: that of the products of matrices in the blocks.
    ///   - threads: nil: as many as the process may use. Results do not depend on it.
    ///   - batchSize: images, and texts, that are computed at once; more are taken in turns.
    ///
    /// Errors: `CheckpointError` where it holds no model of two towers; `MemoryShortage`.
    public convenience init(
        _ checkpoint: Checkpoint, precision: Precision = .float32, threads: Int? = nil, batchSize: Int = 8
    ) throws {
        guard let configuration = checkpoint.configuration as? TwoTowerConfiguration else {
            throw CheckpointError.malformed(
                checkpoint.path, "holds a \(checkpoint.family.name); this works with an image and a text tower alone")
        }
        try MemoryNeed.inference(configuration.vision, imageCount: batchSize).check()
        try MemoryNeed.texts(configuration.text, textCount: batchSize).check()
        try self.init(
            configuration, from: checkpoint, precision: precision, engine: Engines.make(threads: threads),
            batchSize: batchSize)
    }

    /// Builds both towers from the parameters of `source`.
    package init(
        _ configuration: TwoTowerConfiguration, from source: some ParameterSource, precision: Precision = .float32,
        engine: any Engine, batchSize: Int
    ) throws {
        self.configuration = configuration
        self.engine = engine
        images = try FeatureExtractor(
            configuration.vision, pooling: configuration.headPooling, from: source, precision: precision,
            engine: engine, batchSize: batchSize)
        let builder = LayerBuilder(source, engine: engine, precision: precision)
        texts = TextEncoder(try TextTower(configuration.text, builder), batchSize: batchSize, engine: engine)
        (logitScale, logitBias) = try configuration.scale(from: source)
    }

    /// The embeddings (B, P) of images (B, channels, height, width), normalized as the checkpoint asks: projected, and not yet
    /// divided by their lengths.
    public func imageEmbeddings(_ images: Tensor) -> Tensor {
        precondition(
            images.shape == configuration.imageShape(count: images.shape[0]),
            "TwoTowerModel: expected images \(configuration.imageShape(count: 1)), got \(images.shape)")
        let result = Tensor(shape: [images.shape[0], configuration.embeddingWidth])
        for first in stride(from: 0, to: images.shape[0], by: self.images.batchSize) {
            let range = first..<min(first + self.images.batchSize, images.shape[0])
            self.images.features(images.rows(range), into: result.rows(range))
        }
        return result
    }

    /// The embeddings (T, P) of texts, of which each has 1 to `contextLength` tokens, begin, end and padding included:
    /// projected, and not yet divided by their lengths.
    ///
    /// Errors: `TextTokenError` for a text of another length, and for a token that is not in the vocabulary.
    public func textEmbeddings(_ tokens: [[Int32]]) throws(TextTokenError) -> Tensor { try texts.embeddings(tokens) }

    /// The scores (B, T) of each image with each text, from their embeddings (B, P) and (T, P): the scaled cosine, plus the
    /// bias.
    public func logits(images: Tensor, texts: Tensor) -> Tensor {
        let width = configuration.embeddingWidth
        precondition(
            images.shape == [images.shape[0], width] && texts.shape == [texts.shape[0], width],
            "TwoTowerModel: expected embeddings of \(width) numbers, got \(images.shape) and \(texts.shape)")
        let logits = Tensor(shape: [images.shape[0], texts.shape[0]])
        guard logits.count > 0 else { return logits }
        engine.matmul(
            .matrices(unit(images)), MatrixBatch.matrices(unit(texts)).transposed, scale: logitScale,
            accumulates: false, into: .matrices(logits))
        if logitBias != 0 { logits.assign(logits.values.map { $0 + logitBias }) }
        return logits
    }

    /// The rows, divided by their lengths.
    private func unit(_ rows: Tensor) -> Tensor {
        let copy = Tensor(rows.values, shape: rows.shape)
        engine.normalizeRows(copy)
        return copy
    }

    /// The probabilities (B, T) of scores (B, T): softmax over the texts, or sigmoid of each pair.
    public func probabilities(_ logits: Tensor) -> Tensor {
        let result = Tensor(logits.values, shape: logits.shape)
        switch configuration.scoring {
        case .softmax: if result.count > 0 { engine.softmax(result) }
        case .sigmoid: result.assign(result.values.map { 1 / (1 + exp(-$0)) })
        case .identity: break
        }
        return result
    }
}

extension TwoTowerConfiguration {
    /// What the cosine of an image and a text is multiplied by, and what is added to that.
    package func scale(from source: some ParameterSource) throws -> (scale: Float, bias: Float) {
        func number(_ name: String) throws -> Float { try source.parameter(name).value.values[0] }
        return (exp(try number(Self.logitScale)), hasLogitBias ? try number(Self.logitBias) : 0)
    }
}
