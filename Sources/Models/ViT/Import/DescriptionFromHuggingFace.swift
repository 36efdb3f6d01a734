import Compute
import Support

/// Reads the configuration that transformers writes (`config.json` with `model_type`).
struct HuggingFaceConfiguration {
    let json: JSON
    let path: String

    private static let families: [String: Family] = [
        "vit": .vit, "vit_msn": .vit, "deit": .deit, "vit_mae": .mae, "dinov2": .dinov2,
        "dinov2_with_registers": .dinov2,
    ]

    /// The types of models that are read.
    static var modelTypes: [String] { families.keys.sorted() }

    /// Adds what the shapes of the tensors do not show.
    func apply(to description: inout ModelDescription, table: TensorTable<KeyMap>) throws(CheckpointError) {
        var isKnownType = false
        if let type = json["model_type"]?.string {
            guard let family = Self.families[type] else {
                throw .malformed(
                    path,
                    "describes a model of type \(type); \(Self.modelTypes.joined(separator: ", ")) can be read"
                )
            }
            description.family = family
            isKnownType = true
        }
        try checkSizes(description.configuration)
        try checkKeys(description.configuration)
        try readAttention(&description, isKnownType: isKnownType)
        description.configuration.activation = try activation() ?? .gelu
        if let epsilon = json["layer_norm_eps"]?.double {
            description.configuration.layerNormEpsilon = Float(epsilon)
        } else if isKnownType, description.family != .dinov2 {
            description.configuration.layerNormEpsilon = 1e-12
        }
        if json["model_type"]?.string == "dinov2_with_registers" {
            description.configuration.positionInterpolation = .timm
        }
        let stated = try size("image_size") ?? (isKnownType ? Size(square: 224) : nil)
        try description.fitPositions(rows: try table.extent(1, of: "pos_embed"), stated: stated, path: path)
        description.labels = try labels(classCount: description.configuration.classCount)
        description.activation = try HeadActivation.stated(
            inConfiguration: json, classCount: description.configuration.classCount, path: path)
    }

    func checkSizes(_ configuration: ViTConfiguration) throws(CheckpointError) {
        if let width = try integer("hidden_size"), width != configuration.width {
            throw .malformed(path, "states a hidden_size of \(width), the tensors have \(configuration.width)")
        }
        if let patch = try size("patch_size"), patch != configuration.patchSize {
            throw .malformed(
                path,
                "states patches of \(patch.height) × \(patch.width), the tensors have "
                    + "\(configuration.patchSize.height) × \(configuration.patchSize.width)")
        }
        if let channels = try integer("num_channels"), channels != configuration.inputChannels {
            throw .malformed(path, "states \(channels) channels, the tensors have \(configuration.inputChannels)")
        }
        if let depth = try integer("num_hidden_layers"), depth != configuration.depth {
            throw .malformed(
                path, "states \(depth) layers (num_hidden_layers), the tensors have \(configuration.depth)")
        }
        if json["use_swiglu_ffn"]?.bool == true {
            throw .malformed(path, "describes a SwiGLU MLP; models with a GELU MLP can be read")
        }
    }

    private func readAttention(_ description: inout ModelDescription, isKnownType: Bool) throws(CheckpointError) {
        if let heads = try integer("num_attention_heads") {
            description.configuration.heads = heads
        } else if isKnownType {
            description.configuration.heads = 12
            description.assumptions.append("12 attention heads, transformers' default.")
        } else {
            try description.assumeHeads(path: path)
        }
        let (width, heads) = (description.configuration.width, description.configuration.heads)
        guard width % heads == 0 else {
            throw .malformed(path, "states \(heads) attention heads, which do not divide the width of \(width)")
        }
    }

    func activation() throws(CheckpointError) -> Activation? {
        guard let name = json["hidden_act"]?.string else { return nil }
        switch name {
        case "gelu", "gelu_python": return .gelu
        case "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_python_tanh", "gelu_accurate": return .geluTanh
        case "quick_gelu": return .quickGELU
        default:
            throw .malformed(path, "states the activation \(name); gelu, gelu_pytorch_tanh and quick_gelu are known")
        }
    }

    /// The names of the classes, in the order of their numbers.
    func labels(classCount: Int) throws(CheckpointError) -> [String]? {
        guard classCount > 0, let members = json["id2label"]?.members, !members.isEmpty else { return nil }
        var labels = [String?](repeating: nil, count: classCount)
        for member in members {
            // Datasets whose classes are numbers have numbers for names.
            let name = member.value.string ?? member.value.double.map { _ in member.value.text(compact: true) }
            guard let index = Int(member.name), labels.indices.contains(index), let label = name else {
                throw .malformed(
                    path, "names a class \(member.name) in id2label; the head has classes 0 to \(classCount - 1)")
            }
            labels[index] = label
        }
        if let index = labels.firstIndex(of: nil) { throw .malformed(path, "names no class \(index) in id2label") }
        return labels.compactMap { $0 }
    }

    func integer(_ name: String) throws(CheckpointError) -> Int? {
        guard let value = json[name] else { return nil }
        guard let integer = value.integer, (1...TensorExtent.largest).contains(integer) else {
            throw .malformed(
                path, "states a \(name) of \(value.text(compact: true)); a positive whole number was expected")
        }
        return integer
    }

    /// A side, or a height and a width.
    func size(_ name: String) throws(CheckpointError) -> Size? {
        guard let value = json[name] else { return nil }
        let sides = value.integers ?? value.integer.map { [$0, $0] } ?? []
        guard sides.count == 2, sides.allSatisfy({ (1...TensorExtent.largest).contains($0) }) else {
            throw .malformed(
                path, "states a \(name) of \(value.text(compact: true)); a side, or height and width were expected")
        }
        return Size(height: sides[0], width: sides[1])
    }
}
