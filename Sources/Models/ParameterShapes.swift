/// The name and shape of one trained tensor.
public struct ParameterShape: Sendable, Hashable {
    /// The name in timm's layout, which this package uses inside: `blocks.0.attn.qkv.weight`.
    public var name: String
    /// The extent of each dimension.
    public var shape: [Int]

    package init(_ name: String, _ shape: [Int]) {
        self.name = name
        self.shape = shape
    }
}

extension ViTConfiguration {
    /// Every tensor that a model of this shape has, in forward order and under timm's names.
    ///
    /// Linear weights are (outputs, inputs); the patch projection is (width, channels, rows, columns); the position
    /// table is (1, rows, width) with rows for the prefix tokens first, where these have positions.
    public var parameterShapes: [ParameterShape] {
        var shapes: [ParameterShape] = []
        if hasClassToken { shapes.append(ParameterShape("cls_token", [1, 1, width])) }
        if hasDistillationToken { shapes.append(ParameterShape("dist_token", [1, 1, width])) }
        if registerCount > 0 { shapes.append(ParameterShape("reg_token", [1, registerCount, width])) }
        shapes.append(ParameterShape("pos_embed", [1, positionRowCount, width]))
        shapes.append(
            ParameterShape("patch_embed.proj.weight", [width, inputChannels, patchSize.height, patchSize.width]))
        if patchBias { shapes.append(ParameterShape("patch_embed.proj.bias", [width])) }
        if hasPreNorm { shapes += Self.normShapes("norm_pre", width) }
        for block in 0..<depth { shapes += blockShapes("blocks.\(block)") }
        if finalNorm != .absent { shapes += Self.normShapes(finalNorm.rawValue, width) }
        if pooling == .attention { shapes += attentionPoolingShapes("attn_pool") }
        if projectionWidth > 0 { shapes.append(ParameterShape("projection.weight", [projectionWidth, pooledWidth])) }
        if classCount > 0 {
            shapes += Self.linearShapes("head", outputs: classCount, inputs: pooledWidth)
            if hasDistillationToken { shapes += Self.linearShapes("head_dist", outputs: classCount, inputs: width) }
        }
        return shapes
    }

    /// Rows of the stored position table.
    public var positionRowCount: Int {
        let prefix = prefixHasPosition ? prefixCount - registerCount : 0
        return prefix + positionGrid.height * positionGrid.width
    }

    private func blockShapes(_ name: String) -> [ParameterShape] {
        var shapes = Self.normShapes("\(name).norm1", width)
        shapes += Self.linearShapes("\(name).attn.qkv", outputs: 3 * width, inputs: width, bias: qkvBias)
        shapes += Self.linearShapes("\(name).attn.proj", outputs: width, inputs: width)
        if hasLayerScale { shapes.append(ParameterShape("\(name).ls1.gamma", [width])) }
        shapes += Self.normShapes("\(name).norm2", width)
        shapes += Self.linearShapes("\(name).mlp.fc1", outputs: hiddenWidth, inputs: width)
        shapes += Self.linearShapes("\(name).mlp.fc2", outputs: width, inputs: hiddenWidth)
        if hasLayerScale { shapes.append(ParameterShape("\(name).ls2.gamma", [width])) }
        return shapes
    }

    private func attentionPoolingShapes(_ name: String) -> [ParameterShape] {
        [ParameterShape("\(name).latent", [1, 1, width])]
            + Self.linearShapes("\(name).q", outputs: width, inputs: width)
            + Self.linearShapes("\(name).kv", outputs: 2 * width, inputs: width)
            + Self.linearShapes("\(name).proj", outputs: width, inputs: width)
            + Self.normShapes("\(name).norm", width)
            + Self.linearShapes("\(name).mlp.fc1", outputs: hiddenWidth, inputs: width)
            + Self.linearShapes("\(name).mlp.fc2", outputs: width, inputs: hiddenWidth)
    }

    static func normShapes(_ name: String, _ width: Int) -> [ParameterShape] {
        [ParameterShape("\(name).weight", [width]), ParameterShape("\(name).bias", [width])]
    }

    static func linearShapes(_ name: String, outputs: Int, inputs: Int, bias: Bool = true) -> [ParameterShape] {
        let weight = ParameterShape("\(name).weight", [outputs, inputs])
        return bias ? [weight, ParameterShape("\(name).bias", [outputs])] : [weight]
    }
}
