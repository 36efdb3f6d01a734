import Compute
import Layers
import Synchronization

/// A Vision Transformer that classifies pictures.
///
/// Dosovitskiy et al. 2021, section 3.1: patches are projected, class token and positions are put to them, encoder
/// blocks follow, and a linear head reads the class token (or the mean of the patches).
public final class VisionTransformer: Sendable {
    /// The shape of the model.
    public let configuration: ViTConfiguration
    /// Pictures that are computed at once; more are taken in turns.
    public let batchSize: Int
    package let encoder: Encoder
    package let engine: any Engine
    private let reader: TokenReader
    private let head: Linear?
    private let distillationHead: Linear?
    private let workspace: ClassifierWorkspace
    private let turn = Mutex<Void>(())

    /// Builds the model from the parameters of `source`; pictures are computed `batchSize` at a time.
    package init(
        _ configuration: ViTConfiguration, from source: some ParameterSource, engine: any Engine, batchSize: Int
    ) throws {
        self.configuration = configuration
        self.engine = engine
        self.batchSize = batchSize
        encoder = try Encoder(configuration, from: source, engine: engine)
        reader = try TokenReader(configuration, from: source)
        let hasHead = configuration.classCount > 0
        head = hasHead ? try Linear("head", from: source, engine: engine) : nil
        distillationHead =
            hasHead && configuration.hasDistillationToken
            ? try Linear("head_dist", from: source, engine: engine) : nil
        workspace = ClassifierWorkspace(configuration, imageCount: batchSize)
    }

    /// The logits (B, classes) of images (B, channels, height, width), normalised as the checkpoint asks.
    ///
    /// A model without a head has no logits: the result is then (B, 0).
    public func logits(_ images: Tensor) -> Tensor {
        let result = Tensor(shape: [images.shape[0], configuration.classCount])
        for first in stride(from: 0, to: images.shape[0], by: batchSize) {
            let range = first..<min(first + batchSize, images.shape[0])
            logits(images.rows(range), into: result.rows(range))
        }
        return result
    }

    /// The logits of at most `batchSize` images, written into `result` (B, classes).
    package func logits(_ images: Tensor, into result: Tensor) {
        let size = configuration.imageSize
        precondition(
            images.shape.count == 4
                && images.shape.dropFirst() == [configuration.inputChannels, size.height, size.width]
                && images.shape[0] <= batchSize,
            "VisionTransformer: expected images (≤ \(batchSize), \(configuration.inputChannels), \(size.height), "
                + "\(size.width)), got \(images.shape)")
        guard let head else { return }
        turn.withLock { _ in forward(images, head: head, into: result) }
    }

    private func forward(_ images: Tensor, head: Linear, into result: Tensor) {
        let workspace = self.workspace.first(images.shape[0])
        encoder.forward(images, workspace: workspace.encoder, engine: engine)
        pool(workspace, token: 0)
        head.forward(workspace.pooled, engine: engine, into: result)
        if let distillationHead {
            pool(workspace, token: 1)
            distillationHead.forward(workspace.pooled, engine: engine, into: workspace.otherLogits)
            engine.average(result, workspace.otherLogits, into: result)
        }
    }

    /// What the head sees of the encoder's tokens: one vector an image, final norm included, in `workspace.pooled`.
    private func pool(_ workspace: ClassifierWorkspace, token: Int) {
        switch configuration.pooling {
        case .classToken:
            reader.token(
                token, of: workspace.encoder, workspace: workspace.reader, engine: engine, into: workspace.pooled)
        case .meanPatches:
            reader.meanOfPatches(
                of: workspace.encoder, workspace: workspace.reader, engine: engine, into: workspace.pooled)
        }
    }
}

/// The memory that a classifier works in.
private struct ClassifierWorkspace: Sendable {
    let encoder: EncoderWorkspace
    let reader: TokenReader.Workspace
    let pooled: Tensor
    let otherLogits: Tensor

    init(_ configuration: ViTConfiguration, imageCount: Int) {
        // A head that reads the class token (and the distillation token) needs nothing else of the last block.
        let readCount = configuration.hasDistillationToken ? 2 : 1
        encoder = EncoderWorkspace(
            configuration, imageCount: imageCount,
            leadingCount: configuration.pooling == .classToken ? readCount : nil)
        reader = TokenReader.Workspace(configuration, imageCount: imageCount)
        pooled = Tensor(shape: [imageCount, configuration.width])
        otherLogits = Tensor(shape: [imageCount, configuration.classCount])
    }

    private init(_ whole: ClassifierWorkspace, count: Int) {
        encoder = whole.encoder.first(count)
        reader = whole.reader.first(count)
        pooled = whole.pooled.rows(0..<count)
        otherLogits = whole.otherLogits.rows(0..<count)
    }

    /// The part for the first `count` images.
    func first(_ count: Int) -> ClassifierWorkspace { ClassifierWorkspace(self, count: count) }
}
