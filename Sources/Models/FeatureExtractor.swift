import Compute
import Layers
import Synchronization

/// Which vectors stand for a picture.
public enum FeaturePooling: String, Sendable, Hashable, CaseIterable {
    /// The class token (D).
    case classToken = "cls"
    /// The mean of the patch tokens (D); class, distillation and register tokens left out.
    case meanPatches = "mean"
    /// The class token, and the mean behind it (2·D).
    case classTokenAndMean = "cls+mean"
    /// Every patch token (L, D).
    case patches

    /// Whether the class token is read.
    public var readsClassToken: Bool { self == .classToken || self == .classTokenAndMean }
}

/// A Vision Transformer without its head: pictures to the vectors that stand for them.
///
/// All patches are seen, also by the encoder of a masked autoencoder.
package final class FeatureExtractor: Sendable {
    /// The model's shape; its depth is the layer that is read.
    package let configuration: ViTConfiguration
    package let pooling: FeaturePooling
    /// Pictures that are computed at once.
    package let batchSize: Int
    private let encoder: Encoder
    private let reader: TokenReader
    private let engine: any Engine
    private let workspace: Workspace
    private let turn = Mutex<Void>(())

    /// Builds the encoder from the parameters of `source`.
    ///
    /// - Parameter layer: the blocks that the tokens go through, 0 to the model's depth, to be read as they are; nil: all
    ///   of them, and the final norm.
    package init(
        _ configuration: ViTConfiguration, pooling: FeaturePooling, layer: Int? = nil,
        from source: some ParameterSource, engine: any Engine, batchSize: Int
    ) throws {
        precondition(
            (0...configuration.depth).contains(layer ?? 0) && (configuration.hasClassToken || !pooling.readsClassToken),
            "FeatureExtractor: \(pooling) of layer \(layer ?? 0) asked of a model of \(configuration.depth) blocks")
        var configuration = configuration
        if let layer { configuration.depth = layer }
        self.configuration = configuration
        self.pooling = pooling
        self.engine = engine
        self.batchSize = batchSize
        encoder = try Encoder(configuration, from: source, engine: engine)
        reader = try TokenReader(configuration, isFinal: layer == nil, from: source)
        workspace = Workspace(configuration, pooling: pooling, imageCount: batchSize)
    }

    /// The shape of what stands for a picture: (D), (2·D) or (L, D).
    package static func shape(_ pooling: FeaturePooling, of configuration: ViTConfiguration) -> [Int] {
        switch pooling {
        case .classToken, .meanPatches: [configuration.width]
        case .classTokenAndMean: [2 * configuration.width]
        case .patches: [configuration.patchCount, configuration.width]
        }
    }

    /// The vectors of at most `batchSize` images (B, C, height, width), normalised as the checkpoint asks, written into
    /// `result` (B, shape).
    package func features(_ images: Tensor, into result: Tensor) {
        precondition(
            images.shape[0] <= batchSize && result.shape[0] == images.shape[0],
            "FeatureExtractor: expected at most \(batchSize) images, got \(images.shape) for \(result.shape)")
        turn.withLock { _ in
            let workspace = self.workspace.first(images.shape[0])
            encoder.forward(images, workspace: workspace.encoder, engine: engine)
            read(workspace, into: result)
        }
    }

    private func read(_ workspace: Workspace, into result: Tensor) {
        switch pooling {
        case .classToken:
            reader.token(0, of: workspace.encoder, workspace: workspace.reader, engine: engine, into: result)
        case .meanPatches:
            reader.meanOfPatches(of: workspace.encoder, workspace: workspace.reader, engine: engine, into: result)
        case .classTokenAndMean:
            reader.token(
                0, of: workspace.encoder, workspace: workspace.reader, engine: engine, into: workspace.classTokens)
            reader.meanOfPatches(
                of: workspace.encoder, workspace: workspace.reader, engine: engine, into: workspace.means)
            engine.concatenate(workspace.classTokens, workspace.means, into: result)
        case .patches:
            let tokens = reader.tokens(of: workspace.encoder, engine: engine)
            engine.dropPrefix(configuration.prefixCount, of: tokens, into: result)
        }
    }

    private struct Workspace: Sendable {
        let encoder: EncoderWorkspace
        let reader: TokenReader.Workspace
        let classTokens: Tensor
        let means: Tensor

        init(_ configuration: ViTConfiguration, pooling: FeaturePooling, imageCount: Int) {
            // Nothing but the class token is read of the last block, where there is one.
            let readsLeading = pooling == .classToken && configuration.depth > 0
            encoder = EncoderWorkspace(configuration, imageCount: imageCount, leadingCount: readsLeading ? 1 : nil)
            reader = TokenReader.Workspace(configuration, imageCount: imageCount)
            classTokens = Tensor(shape: [imageCount, configuration.width])
            means = Tensor(shape: [imageCount, configuration.width])
        }

        private init(_ whole: Workspace, count: Int) {
            encoder = whole.encoder.first(count)
            reader = whole.reader.first(count)
            classTokens = whole.classTokens.rows(0..<count)
            means = whole.means.rows(0..<count)
        }

        func first(_ count: Int) -> Workspace { Workspace(self, count: count) }
    }
}
