import Compute
import Layers
import Synchronization

/// The encoder of a Vision Transformer, looked into block by block.
package final class AttentionExtractor: Sendable {
    package let configuration: ViTConfiguration
    /// Pictures that are computed at once.
    package let batchSize: Int
    private let encoder: Encoder
    private let engine: any Engine
    private let workspace: EncoderWorkspace
    private let turn = Mutex<Void>(())

    /// Builds the encoder from the parameters of `source`.
    package init(
        _ configuration: ViTConfiguration, from source: some ParameterSource, engine: any Engine, batchSize: Int
    ) throws {
        self.configuration = configuration
        self.engine = engine
        self.batchSize = batchSize
        encoder = try Encoder(configuration, from: source, engine: engine)
        workspace = EncoderWorkspace(configuration, imageCount: batchSize)
    }

    /// Hands over every block, from the first: its number, counted from 1, the weights (B, H, N, N) with which its tokens
    /// attend to each other, and its output (B, N, D).
    ///
    /// - Parameters:
    ///   - images: at most `batchSize` of them (B, C, height, width), normalised as the checkpoint asks.
    ///   - weights: where the weights are put, block after block (B, H, N, N).
    package func forEachBlock(
        _ images: Tensor, weights: Tensor, _ body: (_ block: Int, _ tokens: Tensor) -> Void
    ) {
        precondition(
            images.shape[0] <= batchSize,
            "AttentionExtractor: expected at most \(batchSize) images, got \(images.shape)")
        turn.withLock { _ in
            let workspace = self.workspace.first(images.shape[0])
            encoder.forward(images, workspace: workspace, engine: engine) { index, tokens in
                // The queries, keys and values of the block are there until the next one overwrites them.
                engine.attentionWeights(workspace.block.qkv, heads: configuration.heads, into: weights)
                body(index + 1, tokens)
            }
        }
    }
}
