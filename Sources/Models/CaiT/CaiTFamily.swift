import Imaging
import Support
import TensorFiles

/// CaiT in timm's layout.
struct CaiTFamily: ModelFamily {
    let name = "CaiT"
    let modelTypes: [String] = []

    /// The names are timm's, as they are.
    private struct Names: TensorNames {
        func parts(of canonical: String) -> [TensorPart] { [TensorPart(canonical)] }
    }

    func obstacle(architecture: String) -> String? {
        architecture.hasPrefix("cait_") ? nil : "no class attention"
    }

    func recognizes(_ files: CheckpointFiles) -> Bool {
        files.names.contains("blocks_token_only.0.attn.q.weight")
    }

    func read(_ files: CheckpointFiles) throws(CheckpointError) -> CheckpointContents {
        let table = try TensorTable(files, names: Names())
        var configuration = try table.configuration()
        let timm = files.configuration.flatMap { TimmConfiguration($0.json, path: $0.path) }
        if let timm {
            guard timm.architecture.hasPrefix("cait_") else {
                throw .malformed(timm.path, "describes \(timm.architecture), and the tensors are those of a CaiT")
            }
            try timm.checkArguments()
        }
        var assumptions: [String] = []
        try configuration.fitPositions(
            rows: try table.extent(1, of: "pos_embed"), stated: try timm?.imageSize(), path: table.path, &assumptions)
        if let pooling = timm?.arguments["global_pool"]?.string ?? timm?.json["global_pool"]?.string {
            guard ["token", "avg"].contains(pooling) else {
                throw .malformed(table.path, "states the pooling \"\(pooling)\"; token and avg are known")
            }
            configuration.poolsPatches = pooling == "avg"
        }
        var preprocessing = Self.preprocessing(configuration)
        if let timm, timm.statesPreprocessing {
            preprocessing = try timm.preprocessing(imageSize: configuration.imageSize)
            try preprocessing.check(channels: configuration.inputChannels, path: timm.path)
        } else {
            assumptions.append("Preprocessing as is the custom of timm's CaiT: it is not stated.")
        }
        let resolved = try TensorResolver(table: table, reasonToIgnore: { _ in nil }).resolve(
            configuration.parameterShapes.map { StoredParameter($0) })
        return CheckpointContents(
            configuration: configuration, layout: .timm, summary: Layout.timm.summary, preprocessing: preprocessing,
            labels: try timm?.labels(classCount: configuration.classCount),
            activation: try timm?.headActivation(classCount: configuration.classCount), assumptions: assumptions,
            recipes: resolved.recipes, ignored: resolved.ignored)
    }

    /// timm's for all its CaiT.
    private static func preprocessing(_ configuration: CaiTConfiguration) -> Preprocessing {
        let size = configuration.imageSize
        func perChannel(_ values: [Double]) -> [Double] {
            configuration.inputChannels == 3 ? values : [values.reduce(0, +) / 3]
        }
        return Preprocessing(
            resize: size.height == size.width
                ? .shortestEdge(size.height) : .cover(width: size.width, height: size.height),
            interpolation: .bicubic, crop: size, mean: perChannel(FamilyPreprocessing.imageNetMean),
            std: perChannel(FamilyPreprocessing.imageNetStd))
    }

    func huggingFaceObstacle(_ configuration: CaiTConfiguration) -> String? { "class attention and talking heads" }

    func write(
        _ configuration: CaiTConfiguration, of writer: CheckpointWriter, to directory: String,
        as layout: ExportLayout, tensor: TensorSource
    ) throws(CheckpointError) -> [String] {
        switch layout {
        case .timm: break
        case .huggingFace:
            throw .malformed(
                directory,
                "transformers has no model with class attention and talking heads; the layout timm can hold it")
        case .mae, .openCLIP:
            throw .malformed(
                directory, "the layout \(layout.rawValue) has no place for a CaiT; the layout timm can hold it")
        }
        try Files.makeDirectory(directory)
        let plan = ExportedTensor.plan(configuration.parameterShapes, Names())
        try plan.writeSafetensors(to: Files.join(directory, "model.safetensors"), as: writer.type, from: tensor)
        try writeConfiguration(configuration, of: writer, to: directory)
        let transform = TimmTransform(writer.preprocessing, fed: configuration.imageSize)
        return transform.isExact ? [] : ["timm's settings cannot say all of the preprocessing."]
    }

    func writeConfiguration(
        _ configuration: CaiTConfiguration, of writer: CheckpointWriter, to directory: String
    ) throws(CheckpointError) {
        let transform = TimmTransform(writer.preprocessing, fed: configuration.imageSize)
        var members = [
            JSON.Member("architecture", .string("cait_xxs24_224")),
            JSON.Member("num_classes", .integer(configuration.classCount)),
            JSON.Member("num_features", .integer(configuration.width)),
            JSON.Member("global_pool", .string(configuration.poolsPatches ? "avg" : "token")),
        ]
        if let labels = writer.labels { members.append(JSON.Member("label_names", .array(labels.map { .string($0) }))) }
        if let activation = writer.activation, configuration.classCount > 0 { members.append(activation.problemType) }
        members.append(JSON.Member("model_args", arguments(configuration)))
        members.append(
            JSON.Member("pretrained_cfg", TimmExport.pretrained(configuration, writer.preprocessing, transform)))
        try Files.write(JSON.object(members).text() + "\n", to: Files.join(directory, "config.json"))
    }

    private func arguments(_ configuration: CaiTConfiguration) -> JSON {
        let size = configuration.positionImageSize ?? configuration.imageSize
        func ratio(_ hidden: Int) -> JSON { .number(Double(hidden) / Double(configuration.width)) }
        return .object([
            JSON.Member("img_size", .array([.integer(size.height), .integer(size.width)])),
            JSON.Member("patch_size", .integer(configuration.patchSize.height)),
            JSON.Member("in_chans", .integer(configuration.inputChannels)),
            JSON.Member("embed_dim", .integer(configuration.width)),
            JSON.Member("depth", .integer(configuration.depth)),
            JSON.Member("num_heads", .integer(configuration.heads)),
            JSON.Member("mlp_ratio", ratio(configuration.hiddenWidth)),
            JSON.Member("qkv_bias", .bool(configuration.qkvBias)),
            JSON.Member("depth_token_only", .integer(configuration.classDepth)),
            JSON.Member("mlp_ratio_token_only", ratio(configuration.classHiddenWidth)),
            JSON.Member("global_pool", .string(configuration.poolsPatches ? "avg" : "token")),
        ])
    }

    func rows(_ configuration: CaiTConfiguration, classes: String) -> [(name: String, value: String)] {
        [
            ("tokens", "\(counted(configuration.patchCount, "patch token")), then a class token beside them"),
            (
                "encoder",
                "\(counted(configuration.depth, "block")) with talking heads, \(configuration.classDepth) with class "
                    + "attention, width \(configuration.width), \(counted(configuration.heads, "head")), "
                    + "MLP \(configuration.hiddenWidth), exact GELU, norm epsilon \(CaiTConfiguration.layerNormEpsilon)"
            ),
            ("pooling", configuration.poolsPatches ? "mean of the patches" : "class token"), ("classes", classes),
        ]
    }

    func configuration(_ json: JSON) -> CaiTConfiguration? {
        guard json["family"]?.string == name, let imageSize = Self.size(json["image_size"]),
            let patchSize = Self.size(json["patch_size"]), let channels = json["input_channels"]?.integer,
            let width = json["width"]?.integer, let heads = json["heads"]?.integer, heads > 0, width % heads == 0,
            let depth = json["depth"]?.integer, let classDepth = json["class_depth"]?.integer,
            let hiddenWidth = json["hidden_width"]?.integer, let classHiddenWidth = json["class_hidden_width"]?.integer,
            let qkvBias = json["qkv_bias"]?.bool, let pooling = json["pooling"]?.string,
            let classCount = json["classes"]?.integer,
            [channels, width, depth, classDepth, hiddenWidth, classHiddenWidth, classCount + 1].allSatisfy({
                (1...TensorExtent.largest).contains($0)
            })
        else { return nil }
        var configuration = CaiTConfiguration()
        (configuration.imageSize, configuration.patchSize) = (imageSize, patchSize)
        configuration.positionImageSize = Self.size(json["position_image_size"])
        (configuration.inputChannels, configuration.width, configuration.heads) = (channels, width, heads)
        (configuration.depth, configuration.classDepth) = (depth, classDepth)
        (configuration.hiddenWidth, configuration.classHiddenWidth) = (hiddenWidth, classHiddenWidth)
        (configuration.qkvBias, configuration.poolsPatches) = (qkvBias, pooling == "avg")
        configuration.classCount = classCount
        return configuration
    }

    private static func size(_ json: JSON?) -> Size? {
        guard let sides = json?.integers, sides.count == 2,
            sides.allSatisfy({ (1...TensorExtent.largest).contains($0) })
        else { return nil }
        return Size(height: sides[0], width: sides[1])
    }

    func json(_ configuration: CaiTConfiguration) -> JSON {
        .object([
            JSON.Member("family", .string(name)), JSON.Member("image_size", configuration.imageSize.json),
            JSON.Member("patch_size", configuration.patchSize.json),
            JSON.Member("input_channels", .integer(configuration.inputChannels)),
            JSON.Member("width", .integer(configuration.width)), JSON.Member("depth", .integer(configuration.depth)),
            JSON.Member("class_depth", .integer(configuration.classDepth)),
            JSON.Member("heads", .integer(configuration.heads)),
            JSON.Member("hidden_width", .integer(configuration.hiddenWidth)),
            JSON.Member("class_hidden_width", .integer(configuration.classHiddenWidth)),
            JSON.Member("qkv_bias", .bool(configuration.qkvBias)),
            JSON.Member("pooling", .string(configuration.poolsPatches ? "avg" : "token")),
            JSON.Member("position_image_size", configuration.positionImageSize?.json ?? .null),
            JSON.Member("classes", .integer(configuration.classCount)),
        ])
    }
}

extension TensorTable {
    /// What the shapes of the tensors show: all but the size of the image.
    fileprivate func configuration() throws(CheckpointError) -> CaiTConfiguration {
        var configuration = CaiTConfiguration()
        configuration.width = try extent(0, of: "patch_embed.proj.weight")
        configuration.inputChannels = try extent(1, of: "patch_embed.proj.weight")
        configuration.patchSize = Size(
            height: try extent(2, of: "patch_embed.proj.weight"), width: try extent(3, of: "patch_embed.proj.weight"))
        configuration.depth = count { Self.index($0, after: "blocks.") }
        configuration.classDepth = count { Self.index($0, after: "blocks_token_only.") }
        configuration.heads = try extent(0, of: "blocks.0.attn.proj_l.weight")
        guard configuration.width % configuration.heads == 0 else {
            throw .malformed(
                path, "has a width of \(configuration.width), which \(configuration.heads) heads do not divide")
        }
        configuration.hiddenWidth = try extent(0, of: "blocks.0.mlp.fc1.weight")
        configuration.classHiddenWidth = try extent(0, of: "blocks_token_only.0.mlp.fc1.weight")
        configuration.qkvBias = contains("blocks.0.attn.qkv.bias")
        configuration.classCount = contains("head.weight") ? try extent(0, of: "head.weight") : 0
        return configuration
    }

    private static func index(_ name: String, after prefix: String) -> Int? {
        name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count).prefix { $0.isNumber && $0.isASCII }) : nil
    }
}

extension CaiTConfiguration {
    /// Fits the position table to the image.
    fileprivate mutating func fitPositions(
        rows: Int, stated: Size?, path: String, _ assumptions: inout [String]
    ) throws(CheckpointError) {
        if let stated { imageSize = stated }
        if stated != nil, patchCount == rows { return }
        let side = Int(Double(rows).squareRoot().rounded())
        guard side * side == rows else {
            throw .malformed(
                path, "has \(rows) positions, which is neither the stated grid of patches nor a square one")
        }
        let size = Size(height: side * patchSize.height, width: side * patchSize.width)
        if stated == nil {
            imageSize = size
            assumptions.append("An image of \(size.width) × \(size.height) pixels, for \(side) × \(side) patches.")
        } else {
            positionImageSize = size
        }
    }
}
