import Compute
import Support

/// Reads the configuration that timm's hub models carry (`config.json` with `architecture` and `pretrained_cfg`).
struct TimmConfiguration {
    let json: JSON
    let path: String
    /// How the weights were trained and on what; in old files the whole object.
    let pretrained: JSON
    /// The arguments that differ from the architecture's own.
    let arguments: JSON

    init?(_ json: JSON, path: String) {
        guard json["architecture"]?.string != nil else { return nil }
        self.json = json
        self.path = path
        pretrained = json["pretrained_cfg"] ?? json
        arguments = json["model_args"] ?? .object([])
    }

    /// Whether the file says how images are prepared.
    var statesPreprocessing: Bool { json["pretrained_cfg"] != nil || json["mean"] != nil }

    var architecture: String { json["architecture"]?.string ?? "" }

    /// Adds what the shapes of the tensors do not show.
    func apply(to description: inout ModelDescription, table: TensorTable<KeyMap>) throws(CheckpointError) {
        let facts = TimmArchitecture(name: architecture)
        if let feature = facts.unsupportedFeature {
            throw .malformed(path, "describes \(architecture), which has \(feature); that is not supported")
        }
        try checkArguments()
        let hasPreNorm = arguments["pre_norm"]?.bool ?? facts.hasPreNorm
        guard hasPreNorm == description.configuration.hasPreNorm else {
            throw .malformed(
                path,
                "describes \(architecture) with\(hasPreNorm ? "" : "out") a norm before the first block, which the tensors "
                    + (hasPreNorm ? "lack" : "have"))
        }
        if let depth = try integer("depth") ?? facts.depth, depth != description.configuration.depth {
            throw .malformed(
                path,
                "describes \(architecture) with \(depth) blocks, the tensors have \(description.configuration.depth)")
        }
        if let heads = try integer("num_heads") ?? facts.heads {
            guard description.configuration.width % heads == 0 else {
                throw .malformed(
                    path, "states \(heads) heads, which do not divide the width of \(description.configuration.width)")
            }
            description.configuration.heads = heads
        } else {
            try description.assumeHeads(path: path)
        }
        description.configuration.activation = try activation() ?? facts.activation
        if let family = facts.family, description.family == .vit { description.family = family }
        // Not timm's: this package writes it where a model has another epsilon than timm's.
        if let epsilon = json["layer_norm_eps"] {
            guard let number = epsilon.double, number >= 0, number < 1 else {
                throw .malformed(
                    path,
                    "states a layer_norm_eps of \(epsilon.text(compact: true)); a number such as 1e-6 was expected")
            }
            description.configuration.layerNormEpsilon = Float(number)
        }
        try readPooling(&description.configuration)
        try readFinalNorm(&description.configuration)
        try description.fitPositions(
            rows: try table.extent(1, of: "pos_embed"), stated: try imageSize(), path: path)
        description.labels = try labels(classCount: description.configuration.classCount)
        description.activation = try headActivation(classCount: description.configuration.classCount)
    }

    private func activation() throws(CheckpointError) -> Activation? {
        guard let value = arguments["act_layer"] else { return nil }
        switch value.string {
        case "gelu": return .gelu
        case "gelu_tanh": return .geluTanh
        case "quick_gelu", "quickgelu": return .quickGELU
        default:
            throw .malformed(
                path,
                "states the activation \(value.text(compact: true)); gelu, gelu_tanh and quick_gelu are known")
        }
    }

    /// What makes scores of the head's logits. timm's files do not say; this package writes transformers' word for it.
    func headActivation(classCount: Int) throws(CheckpointError) -> HeadActivation? {
        guard json["problem_type"] != nil else { return nil }
        return try .stated(inConfiguration: json, classCount: classCount, path: path)
    }

    private func readPooling(_ configuration: inout ViTConfiguration) throws(CheckpointError) {
        guard let name = arguments["global_pool"]?.string ?? json["global_pool"]?.string else { return }
        guard configuration.pooling != .attention || name == "map" else {
            throw .malformed(
                path, "states the pooling \"\(name)\", and the tensors are those of attention pooling, map")
        }
        switch name {
        case "token" where configuration.hasClassToken: configuration.pooling = .classToken
        case "avg": configuration.pooling = .meanPatches
        case "map" where configuration.pooling == .attention: break
        default: throw .malformed(path, "states the pooling \"\(name)\"; token, avg and map are known")
        }
        if arguments["pool_include_prefix"]?.bool == true {
            throw .malformed(path, "pools class token and registers with the patches; that is not supported")
        }
    }

    private func readFinalNorm(_ configuration: inout ViTConfiguration) throws(CheckpointError) {
        guard arguments["final_norm"]?.bool == false else { return }
        guard configuration.pooling == .meanPatches else {
            throw .malformed(
                path,
                "gives the model no final norm (final_norm) and the pooling \(configuration.pooling.rawValue); avg was expected"
            )
        }
        configuration.finalNorm = .absent
    }

    /// The image size that the weights were made for.
    func imageSize() throws(CheckpointError) -> Size? {
        if let size = try argumentSize() { return size }
        return try inputSize()
    }

    private func argumentSize() throws(CheckpointError) -> Size? {
        guard let value = arguments["img_size"] else { return nil }
        guard let size = Self.extent(value.integers ?? value.integer.map { [$0, $0] } ?? []) else {
            throw .malformed(
                path, "states an img_size of \(value.text(compact: true)); a side, or height and width were expected")
        }
        return size
    }

    private func inputSize() throws(CheckpointError) -> Size? {
        guard let input = pretrained["input_size"] else { return nil }
        guard let sizes = input.integers, sizes.count == 3, let size = Self.extent(Array(sizes.dropFirst())) else {
            throw .malformed(
                path, "states an input_size of \(input.text(compact: true)); channels, height and width were expected")
        }
        return size
    }

    /// The size of the images that are fed: a model of fixed size overrules what its weights were trained on.
    func fedSize() throws(CheckpointError) -> Size? {
        let isFixed = pretrained["fixed_input_size"]?.bool ?? false
        return isFixed ? try imageSize() : try inputSize()
    }

    private static func extent(_ sides: [Int]) -> Size? {
        guard sides.count == 2, sides.allSatisfy({ (1...TensorExtent.largest).contains($0) }) else { return nil }
        return Size(height: sides[0], width: sides[1])
    }

    private func integer(_ name: String) throws(CheckpointError) -> Int? {
        guard let value = arguments[name] else { return nil }
        guard let integer = value.integer, (1...TensorExtent.largest).contains(integer) else {
            throw .malformed(
                path, "states a \(name) of \(value.text(compact: true)); a positive whole number was expected")
        }
        return integer
    }

    /// The names of the classes: a list, or a dictionary by number; descriptions are used where there are any.
    func labels(classCount: Int) throws(CheckpointError) -> [String]? {
        guard classCount > 0, let stated = json["label_names"] ?? pretrained["label_names"] ?? pretrained["labels"]
        else { return nil }
        var names = [String?](repeating: nil, count: classCount)
        let pairs =
            stated.members?.map { (Int($0.name), $0.value) } ?? (stated.elements ?? []).enumerated().map { ($0, $1) }
        for (index, value) in pairs {
            guard let index, names.indices.contains(index), let name = value.string else {
                throw .malformed(path, "names classes that are not the head's 0 to \(classCount - 1) in label_names")
            }
            names[index] = name
        }
        if let index = names.firstIndex(of: nil) { throw .malformed(path, "names no class \(index) in label_names") }
        var descriptions: [String: String] = [:]
        for member in (json["label_descriptions"] ?? pretrained["label_descriptions"])?.members ?? [] {
            descriptions[member.name] = member.value.string
        }
        return names.compactMap { name in name.map { descriptions[$0] ?? $0 } }
    }
}
