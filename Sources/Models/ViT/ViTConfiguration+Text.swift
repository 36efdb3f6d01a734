import Compute
import Imaging
import Support

// What `vit inspect` prints.
extension ViTConfiguration {
    var tokensText: String {
        var parts = [patchCount == 1 ? "1 patch" : "\(patchCount) patches"]
        if hasClassToken { parts.append("a class token") }
        if hasDistillationToken { parts.append("a distillation token") }
        if registerCount > 0 { parts.append(counted(registerCount, "register")) }
        return "\(tokenCount): \(parts.joined(separator: ", "))"
    }

    var encoderText: String {
        var parts = [
            counted(depth, "block"), "width \(width)", counted(heads, "head"),
            "MLP \(hiddenWidth)",
            activation.text,
            "norm epsilon \(layerNormEpsilon)",
        ]
        if hasPreNorm { parts.append("a norm before the first") }
        if !patchBias { parts.append("no bias of patches") }
        if !qkvBias { parts.append("no qkv bias") }
        if hasLayerScale { parts.append("layer scale") }
        return parts.joined(separator: ", ")
    }

    var positionsText: String {
        let kind = positions == .learned ? "learned" : "fixed, sine and cosine"
        let prefix = prefixHasPosition || !hasClassToken ? "" : ", the class token has none"
        guard let size = positionImageSize else { return kind + prefix }
        let way = positionInterpolation == .timm ? "as timm does" : "as transformers does"
        return "\(kind)\(prefix), for \(size.height) × \(size.width) pixels, interpolated \(way)"
    }

    var poolingText: String {
        let norm =
            switch finalNorm {
            case .beforePooling: ""
            case .afterPooling: ", then the norm"
            case .absent: ", without a norm"
            }
        switch pooling {
        case .classToken:
            return hasDistillationToken
                ? "class and distillation token, two heads averaged" : "class token"
        case .meanPatches: return "mean of the patches" + norm
        case .classTokenAndMean: return "class token and mean of the patches"
        case .attention: return "attention of a trained query, then an MLP"
        }
    }

    var projectionText: String { projectionWidth > 0 ? "to \(projectionWidth) numbers, without a bias" : "" }

    /// Everything, for programs.
    var json: JSON {
        .object([
            JSON.Member("image_size", imageSize.json), JSON.Member("patch_size", patchSize.json),
            JSON.Member("input_channels", .integer(inputChannels)), JSON.Member("width", .integer(width)),
            JSON.Member("depth", .integer(depth)), JSON.Member("heads", .integer(heads)),
            JSON.Member("hidden_width", .integer(hiddenWidth)), JSON.Member("qkv_bias", .bool(qkvBias)),
            JSON.Member("layer_norm_epsilon", .number(JSON.decimal(layerNormEpsilon))),
            JSON.Member("activation", .string(activation.rawValue)), JSON.Member("pooling", .string(pooling.rawValue)),
            JSON.Member("final_norm", .string(finalNorm.rawValue)), JSON.Member("class_token", .bool(hasClassToken)),
            JSON.Member("distillation_token", .bool(hasDistillationToken)),
            JSON.Member("registers", .integer(registerCount)), JSON.Member("layer_scale", .bool(hasLayerScale)),
            JSON.Member("positions", .string(positions.rawValue)),
            JSON.Member("prefix_has_position", .bool(prefixHasPosition)),
            JSON.Member("position_interpolation", .string(positionInterpolation.rawValue)),
            JSON.Member("position_image_size", positionImageSize?.json ?? .null),
            JSON.Member("patch_bias", .bool(patchBias)), JSON.Member("norm_pre", .bool(hasPreNorm)),
            JSON.Member("projection_width", .integer(projectionWidth)), JSON.Member("classes", .integer(classCount)),
        ])
    }
}

extension Activation {
    /// What `vit inspect` calls it.
    var text: String {
        switch self {
        case .gelu: "exact GELU"
        case .geluTanh: "GELU by tanh"
        case .quickGELU: "quick GELU"
        }
    }
}
