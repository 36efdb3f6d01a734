/// The shape of MAE's decoder, which rebuilds the pixels of removed patches.
///
/// Source: He et al. 2022, section 3 and table 1: 8 blocks of width 512 with 16 heads for every encoder.
public struct MAEDecoderConfiguration: Sendable, Hashable {
    /// The length of a token in the decoder.
    public var width = 512
    /// The number of decoder blocks.
    public var depth = 8
    /// Attention heads a block; divides `width`.
    public var heads = 16
    /// The length of the MLP's hidden layer.
    public var hiddenWidth = 2048
    /// Whether the projections to queries, keys and values have a bias.
    public var qkvBias = true

    /// The paper's decoder; change what differs.
    public init() {}
}

extension MAEDecoderConfiguration {
    /// Every tensor of the decoder beside an encoder of this configuration, in forward order, under the names that
    /// MAE's authors use.
    ///
    /// The position table is (1, 1 + patches, decoder width) with a row for the class token; `decoder_pred` gives the
    /// pixels of a patch.
    public func parameterShapes(encoder: ViTConfiguration) -> [ParameterShape] {
        let rows = (encoder.hasClassToken ? 1 : 0) + encoder.positionGrid.height * encoder.positionGrid.width
        let pixels = encoder.patchSize.height * encoder.patchSize.width * encoder.inputChannels
        // The blocks are an encoder's, of another width and under another name.
        var blocks = ViTConfiguration()
        blocks.width = width
        blocks.depth = depth
        blocks.hiddenWidth = hiddenWidth
        blocks.qkvBias = qkvBias
        let blockShapes = blocks.parameterShapes.filter { $0.name.hasPrefix("blocks.") }
        return [
            ParameterShape("mask_token", [1, 1, width]),
            ParameterShape("decoder_pos_embed", [1, rows, width]),
            ParameterShape("decoder_embed.weight", [width, encoder.width]),
            ParameterShape("decoder_embed.bias", [width]),
        ] + blockShapes.map { ParameterShape("decoder_\($0.name)", $0.shape) } + [
            ParameterShape("decoder_norm.weight", [width]), ParameterShape("decoder_norm.bias", [width]),
            ParameterShape("decoder_pred.weight", [pixels, width]), ParameterShape("decoder_pred.bias", [pixels]),
        ]
    }
}
