import Imaging
import Models
import Support
import TensorFiles

extension Checkpoint {
    /// The number of parameters, including the decoder's.
    var parameterCount: Int { parameterShapes.reduce(0) { $0 + $1.shape.reduce(1, *) } }

    /// Everything that `vit inspect` prints, as JSON.
    var json: JSON {
        var members = [
            JSON.Member("path", .string(path)), JSON.Member("layout", .string(layout.rawValue)),
            JSON.Member("summary", .string(summary)), JSON.Member("configuration", configuration.json),
            JSON.Member("preprocessing", preprocessing.json), JSON.Member("parameters", .integer(parameterCount)),
            JSON.Member("labels", labels.map { .array($0.map { .string($0) }) } ?? .null),
        ]
        if let decoder = maeDecoder { members.append(JSON.Member("decoder", decoder.json)) }
        if let target = maeTarget { members.append(JSON.Member("decoder_target", .string(target.rawValue))) }
        if let ratio = maeMaskRatio { members.append(JSON.Member("mask_ratio", .number(ratio))) }
        members.append(JSON.Member("assumptions", .array(assumptions.map { .string($0) })))
        members.append(JSON.Member("ignored", .object(ignored.map { JSON.Member($0.name, .string($0.reason)) })))
        members.append(JSON.Member("tensors", .array(tensors.map(\.json))))
        return .object(members)
    }
}

extension TensorDescription {
    fileprivate var json: JSON {
        .object([
            JSON.Member("name", .string(name)), JSON.Member("dtype", .string(type.rawValue)),
            JSON.Member("shape", .array(shape.map { .integer($0) })),
        ])
    }
}

extension ViTConfiguration {
    fileprivate var json: JSON {
        .object([
            JSON.Member("image_size", imageSize.json), JSON.Member("patch_size", patchSize.json),
            JSON.Member("input_channels", .integer(inputChannels)), JSON.Member("width", .integer(width)),
            JSON.Member("depth", .integer(depth)), JSON.Member("heads", .integer(heads)),
            JSON.Member("hidden_width", .integer(hiddenWidth)), JSON.Member("qkv_bias", .bool(qkvBias)),
            JSON.Member("layer_norm_epsilon", .decimal(layerNormEpsilon)),
            JSON.Member("activation", .string(activation.rawValue)), JSON.Member("pooling", .string(pooling.rawValue)),
            JSON.Member("final_norm", .string(finalNorm.rawValue)), JSON.Member("class_token", .bool(hasClassToken)),
            JSON.Member("distillation_token", .bool(hasDistillationToken)),
            JSON.Member("registers", .integer(registerCount)), JSON.Member("layer_scale", .bool(hasLayerScale)),
            JSON.Member("positions", .string(positions.rawValue)),
            JSON.Member("prefix_has_position", .bool(prefixHasPosition)),
            JSON.Member("position_interpolation", .string(positionInterpolation.rawValue)),
            JSON.Member("position_image_size", positionImageSize?.json ?? .null),
            JSON.Member("classes", .integer(classCount)),
        ])
    }
}

extension MAEDecoderConfiguration {
    fileprivate var json: JSON {
        .object([
            JSON.Member("width", .integer(width)), JSON.Member("depth", .integer(depth)),
            JSON.Member("heads", .integer(heads)), JSON.Member("hidden_width", .integer(hiddenWidth)),
        ])
    }
}

extension JSON {
    /// A single-precision number by its shortest decimal; the digits of the wider type would follow it otherwise.
    static func decimal(_ value: Float) -> JSON { .number(Double("\(value)") ?? Double(value)) }
}
