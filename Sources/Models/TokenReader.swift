import Compute
import Layers

/// Reads vectors out of an encoder's tokens: through the norm, and one token or the mean of the patches.
package struct TokenReader: Sendable {
    private let configuration: ViTConfiguration
    /// nil: the tokens are read as they are.
    private let norm: LayerNorm?

    /// Reads tokens of the last block through the model's final norm, those of an inner one (`isFinal` false) without.
    package init(_ configuration: ViTConfiguration, isFinal: Bool = true, from source: some ParameterSource) throws {
        self.configuration = configuration
        let name = configuration.finalNorm == .afterPooling ? "fc_norm" : "norm"
        norm = isFinal ? try LayerNorm(name, epsilon: configuration.layerNormEpsilon, from: source) : nil
    }

    /// One token of every image, normed: (B, D).
    package func token(
        _ index: Int, of encoder: EncoderWorkspace, workspace: Workspace, engine: any Engine, into result: Tensor
    ) {
        // The norm acts on each token by itself, so that a token may be taken out before it; the room may be made for
        // leading tokens alone.
        engine.selectToken(index, of: encoder.output, into: norm == nil ? result : workspace.selected)
        norm?.forward(workspace.selected, statistics: workspace.statistics, engine: engine, into: result)
    }

    /// The mean of every image's patches (B, D), normed before or after as the configuration says; the tokens before
    /// the patches are left out.
    package func meanOfPatches(
        of encoder: EncoderWorkspace, workspace: Workspace, engine: any Engine, into result: Tensor
    ) {
        if norm != nil, configuration.finalNorm == .afterPooling {
            engine.meanTokens(from: configuration.prefixCount, of: encoder.tokens, into: workspace.selected)
            norm?.forward(workspace.selected, statistics: workspace.statistics, engine: engine, into: result)
        } else {
            engine.meanTokens(
                from: configuration.prefixCount, of: tokens(of: encoder, engine: engine), into: result)
        }
    }

    /// All tokens (B, N, D), normed unless the norm stands after pooling; they lie in `encoder`.
    package func tokens(of encoder: EncoderWorkspace, engine: any Engine) -> Tensor {
        guard let norm, configuration.finalNorm == .beforePooling else { return encoder.tokens }
        let normed = encoder.block.normed
        norm.forward(encoder.tokens, statistics: encoder.block.statistics1, engine: engine, into: normed)
        return normed
    }

    /// The memory that reading takes.
    package struct Workspace: Sendable {
        let selected: Tensor
        let statistics: NormStatistics

        package init(_ configuration: ViTConfiguration, imageCount: Int) {
            selected = Tensor(shape: [imageCount, configuration.width])
            statistics = NormStatistics(rowCount: imageCount)
        }

        private init(_ whole: Workspace, count: Int) {
            selected = whole.selected.rows(0..<count)
            statistics = whole.statistics.first(count)
        }

        /// The part for the first `count` images.
        package func first(_ count: Int) -> Workspace { Workspace(self, count: count) }
    }
}
