import Compute
import Layers

extension ViTConfiguration {
    /// What the blocks of this encoder have in common.
    package var blockShape: BlockShape {
        BlockShape(
            width: width, heads: heads, hiddenWidth: hiddenWidth, qkvBias: qkvBias, epsilon: layerNormEpsilon,
            activation: activation == .gelu ? .gelu : .geluTanh, hasLayerScale: hasLayerScale)
    }
}

/// Class, distillation and register tokens with the positions they have, and the positions of the patches.
package struct TokenTable: Sendable {
    /// The tokens before the patches, positions added (P, D).
    package let prefix: Tensor
    /// The positions of the patches (L, D), fitted to the grid of the configuration.
    package let positions: Tensor

    package init(_ configuration: ViTConfiguration, from source: some ParameterSource) throws {
        let width = configuration.width
        let stored = try source.parameter("pos_embed").value.values
        var tokens: [[Float]] = []
        if configuration.hasClassToken { tokens.append(try source.parameter("cls_token").value.values) }
        if configuration.hasDistillationToken { tokens.append(try source.parameter("dist_token").value.values) }
        var positionRows = 0
        if configuration.prefixHasPosition {
            positionRows = tokens.count
            for (row, token) in tokens.enumerated() {
                tokens[row] = token.indices.map { token[$0] + stored[row * width + $0] }
            }
        }
        if configuration.registerCount > 0 { tokens.append(try source.parameter("reg_token").value.values) }
        prefix = Tensor(tokens.flatMap { $0 }, shape: [configuration.prefixCount, width])
        let fitted = PositionResampling.resample(
            Array(stored.dropFirst(positionRows * width)), width: width, from: configuration.positionGrid,
            to: configuration.grid, as: configuration.positionInterpolation)
        positions = Tensor(fitted, shape: [configuration.patchCount, width])
    }
}

/// The trunk of a Vision Transformer: pictures to tokens, positions added, through all blocks.
package struct Encoder: Sendable {
    package let configuration: ViTConfiguration
    package let patchProjection: Linear
    package let tokens: TokenTable
    package let blocks: [Block]

    package init(_ configuration: ViTConfiguration, from source: some ParameterSource, engine: any Engine) throws {
        self.configuration = configuration
        tokens = try TokenTable(configuration, from: source)
        patchProjection = try Linear("patch_embed.proj", from: source, engine: engine)
        blocks = try (0..<configuration.depth).map {
            try Block("blocks.\($0)", configuration.blockShape, from: source, engine: engine)
        }
    }

    /// Images (B, C, height, width) to tokens (B, N, D) in `workspace.output`, before the final norm.
    ///
    /// `afterBlock` sees the tokens after each block, counted from 0. Where the room is made for leading tokens, the last
    /// block computes them alone.
    package func forward(
        _ images: Tensor, workspace: EncoderWorkspace, engine: any Engine,
        afterBlock: (Int, Tensor) -> Void = { _, _ in }
    ) {
        let patch = configuration.patchSize
        engine.patchRows(images, patchHeight: patch.height, patchWidth: patch.width, into: workspace.patchRows)
        engine.setPrefix(tokens.prefix, of: workspace.tokens)
        engine.embedPatches(
            workspace.patchRows, patchProjection.weights, bias: patchProjection.bias?.value,
            positions: tokens.positions,
            prefix: configuration.prefixCount, into: workspace.tokens)
        for (index, block) in blocks.enumerated() {
            if index == blocks.count - 1, let leading = workspace.leading {
                block.forwardLeading(workspace.tokens, into: workspace.block, leading: leading, engine: engine)
            } else {
                block.forward(workspace.tokens, into: workspace.block, engine: engine)
            }
            afterBlock(index, index == blocks.count - 1 ? workspace.output : workspace.tokens)
        }
    }
}

/// The memory that an encoder works in when nothing is kept for a backward pass.
package struct EncoderWorkspace: Sendable {
    package let patchRows: Tensor
    package let tokens: Tensor
    package let block: BlockActivations
    /// For the last block, where only the first tokens are wanted of it.
    let leading: BlockActivations?

    /// What comes out: the tokens (B, N, D), or the leading ones.
    package var output: Tensor { leading?.output ?? tokens }

    /// - Parameter leadingCount: how many of an image's first tokens are wanted; nil: all.
    package init(_ configuration: ViTConfiguration, imageCount: Int, leadingCount: Int? = nil) {
        let patch = configuration.patchSize
        patchRows = Tensor(
            shape: [
                imageCount, configuration.patchCount, configuration.inputChannels * patch.height * patch.width,
            ])
        tokens = Tensor(shape: [imageCount, configuration.tokenCount, configuration.width])
        block = .shared(configuration.blockShape, input: tokens)
        leading = leadingCount.map {
            .shared(configuration.blockShape, input: Tensor(shape: [imageCount, $0, configuration.width]))
        }
    }

    private init(_ whole: EncoderWorkspace, count: Int) {
        patchRows = whole.patchRows.rows(0..<count)
        tokens = whole.tokens.rows(0..<count)
        block = whole.block.first(count)
        leading = whole.leading?.first(count)
    }

    /// The part for the first `count` images.
    package func first(_ count: Int) -> EncoderWorkspace { EncoderWorkspace(self, count: count) }
}
