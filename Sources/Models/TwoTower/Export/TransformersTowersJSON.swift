import Support

/// The `config.json` of transformers' CLIP and SigLIP.
struct TransformersTowersJSON {
    let kind: TowerExport.Kind
    let vision: ViTConfiguration
    /// The size of image that the positions are for.
    let imageSize: Size
    let whole: TwoTowerConfiguration?

    private var family: String { kind == .clip ? "clip" : "siglip" }

    var members: [JSON.Member] {
        guard let whole else {
            if vision.classCount > 0 { return classifierMembers }
            let hasProjection = vision.projectionWidth > 0
            let name =
                kind == .clip ? "CLIPVisionModel\(hasProjection ? "WithProjection" : "")" : "SiglipVisionModel"
            return [JSON.Member("architectures", .array([.string(name)]))] + visionMembers
        }
        var members = [
            JSON.Member("architectures", .array([.string(kind == .clip ? "CLIPModel" : "SiglipModel")])),
            JSON.Member("model_type", .string(family)), JSON.Member("text_config", .object(textMembers(whole.text))),
            JSON.Member("vision_config", .object(visionMembers)),
        ]
        if kind == .clip { members.append(JSON.Member("projection_dim", .integer(whole.embeddingWidth))) }
        return members
    }

    /// A classifier has the configuration of both towers, though the text tower is not used.
    private var classifierMembers: [JSON.Member] {
        let name = "\(kind == .clip ? "CLIP" : "Siglip")ForImageClassification"
        // The attention pooling, which the head does not read, is not among the tensors.
        let others = kind == .clip ? [] : [JSON.Member("vision_use_head", .bool(false))]
        return [
            JSON.Member("architectures", .array([.string(name)])), JSON.Member("model_type", .string(family)),
            JSON.Member("vision_config", .object(visionMembers + others)),
        ]
    }

    private var visionMembers: [JSON.Member] {
        var members = [
            JSON.Member("model_type", .string("\(family)_vision_model")),
            JSON.Member("hidden_size", .integer(vision.width)),
            JSON.Member("intermediate_size", .integer(vision.hiddenWidth)),
            JSON.Member("num_hidden_layers", .integer(vision.depth)),
            JSON.Member("num_attention_heads", .integer(vision.heads)),
            JSON.Member("num_channels", .integer(vision.inputChannels)),
            JSON.Member("image_size", JSON.side(imageSize)), JSON.Member("patch_size", JSON.side(vision.patchSize)),
            JSON.Member("hidden_act", .string(vision.activation.transformersName)),
            JSON.Member("layer_norm_eps", .number(JSON.decimal(vision.layerNormEpsilon))),
        ]
        if vision.projectionWidth > 0 {
            members.append(JSON.Member("projection_dim", .integer(vision.projectionWidth)))
        }
        return members
    }

    private func textMembers(_ text: TextTowerConfiguration) -> [JSON.Member] {
        var members = [
            JSON.Member("model_type", .string("\(family)_text_model")),
            JSON.Member("vocab_size", .integer(text.vocabularySize)),
            JSON.Member("max_position_embeddings", .integer(text.contextLength)),
            JSON.Member("hidden_size", .integer(text.width)),
            JSON.Member("intermediate_size", .integer(text.hiddenWidth)),
            JSON.Member("num_hidden_layers", .integer(text.depth)),
            JSON.Member("num_attention_heads", .integer(text.heads)),
            JSON.Member("hidden_act", .string(text.activation.transformersName)),
            JSON.Member("layer_norm_eps", .number(JSON.decimal(text.layerNormEpsilon))),
            JSON.Member(kind == .clip ? "projection_dim" : "projection_size", .integer(text.projectionWidth)),
        ]
        switch text.pooling {
        // transformers takes the highest number where a configuration says so.
        case .highest: members.append(JSON.Member("eos_token_id", .integer(2)))
        case .firstOf(let number): members.append(JSON.Member("eos_token_id", .integer(number)))
        case .first, .last: break
        }
        return members
    }
}
