import Support

// What `vit inspect` prints.
extension TwoTowerConfiguration {
    var scoringText: String {
        hasLogitBias ? "scaled cosine plus a bias, sigmoid of each pair" : "scaled cosine, softmax over the texts"
    }
}

extension TextTowerConfiguration {
    var encoderText: String {
        let parts = [
            counted(depth, "block"), "width \(width)", counted(heads, "head"), "MLP \(hiddenWidth)", activation.text,
            "norm epsilon \(layerNormEpsilon)", isCausal ? "causal" : "every token sees all",
        ]
        return parts.joined(separator: ", ") + (hasLayerScale ? ", layer scale" : "")
    }

    var vocabularyText: String { "\(vocabularySize) tokens, at most \(contextLength) a text" }

    var poolingText: String {
        let token =
            switch pooling {
            case .first: "the first token"
            case .last: "the last token"
            case .highest: "the token of the highest number"
            case .firstOf(let number): "the first token of number \(number)"
            }
        guard projectionWidth > 0 else { return token }
        return "\(token), projected\(projectionBias ? " with a bias" : "")"
    }

    /// Everything, for programs.
    var json: JSON {
        let (name, number): (String, JSON) =
            switch pooling {
            case .first: ("first", .null)
            case .last: ("last", .null)
            case .highest: ("highest", .null)
            case .firstOf(let number): ("token", .integer(number))
            }
        return .object([
            JSON.Member("vocabulary_size", .integer(vocabularySize)),
            JSON.Member("context_length", .integer(contextLength)), JSON.Member("width", .integer(width)),
            JSON.Member("depth", .integer(depth)), JSON.Member("heads", .integer(heads)),
            JSON.Member("hidden_width", .integer(hiddenWidth)),
            JSON.Member("layer_norm_epsilon", .number(JSON.decimal(layerNormEpsilon))),
            JSON.Member("activation", .string(activation.rawValue)), JSON.Member("causal", .bool(isCausal)),
            JSON.Member("pooling", .string(name)), JSON.Member("pooled_token", number),
            JSON.Member("layer_scale", .bool(hasLayerScale)),
            JSON.Member("projection_width", .integer(projectionWidth)),
            JSON.Member("projection_bias", .bool(projectionBias)),
        ])
    }
}
