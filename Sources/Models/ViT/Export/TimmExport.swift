import Compute
import Imaging
import Support

/// Writes timm's names: the directory that timm reads, or the `.pth` of MAE's authors.
struct TimmExport {
    private let writer: ViTExport
    private let directory: String

    init(_ writer: ViTExport, directory: String) {
        self.writer = writer
        self.directory = directory
    }

    /// A directory for timm.
    func write(_ source: TensorSource) throws(CheckpointError) -> [String] {
        guard writer.mae?.decoder == nil else {
            throw .malformed(directory, "timm has no place for MAE's decoder; the layouts mae and hf can hold it")
        }
        guard writer.configuration.hasPreNorm != writer.configuration.patchBias else {
            let (which, and) = writer.configuration.patchBias ? ("both", "and") : ("neither", "nor")
            throw .malformed(
                directory,
                "timm has no model with \(which) a norm before the first block \(and) a bias in the projection of patches"
            )
        }
        try Files.makeDirectory(directory)
        let model = writer.configuration
        let plan: [ExportedTensor]
        let path = Files.join(directory, "model.safetensors")
        if model.registerCount > 0, model.prefixHasPosition {
            let configuration = foldedConfiguration
            plan = ExportedTensor.plan(configuration.parameterShapes, KeyMap(layout: .timm))
            try plan.writeSafetensors(to: path, as: writer.type) { (name) throws(CheckpointError) in
                let tensor = try folded(name, source)
                return tensor
            }
            return try writeConfiguration(configuration)
        }
        plan = ExportedTensor.plan(model.parameterShapes, KeyMap(layout: .timm))
        try plan.writeSafetensors(to: path, as: writer.type, from: source)
        return try writeConfiguration(model)
    }

    /// A `.pth` as MAE's scripts load it, the decoder with it where there is one.
    func writeMAE(_ source: TensorSource) throws(CheckpointError) -> [String] {
        try Files.makeDirectory(directory)
        let plan = ExportedTensor.plan(writer.parameterShapes, KeyMap(layout: .mae))
        try plan.writeTorch(to: Files.join(directory, "model.pth"), as: writer.type, from: source)
        return try writeConfiguration(writer.configuration)
    }

    // timm gives registers a position or leaves the class token without one. A position of the class token goes into
    // the token then, as timm itself does with DINOv2's weights; the sum is the same.

    private var foldedConfiguration: ViTConfiguration {
        var configuration = writer.configuration
        configuration.prefixHasPosition = false
        return configuration
    }

    private func folded(_ name: String, _ source: TensorSource) throws(CheckpointError) -> Tensor {
        let tensor = try source(name)
        let prefix = writer.configuration.prefixCount - writer.configuration.registerCount
        let width = writer.configuration.width
        let rows = writer.configuration.positionRowCount
        switch name {
        case "pos_embed":
            return tensor.reshaped([rows, width]).rows(prefix..<rows).reshaped([1, rows - prefix, width])
        case "cls_token", "dist_token":
            let row = name == "cls_token" ? 0 : 1
            let position = try source("pos_embed").reshaped([rows, width]).rows(row..<row + 1)
            return Tensor(zip(tensor.values, position.values).map { $0 + $1 }, shape: tensor.shape)
        default: return tensor
        }
    }

    /// The configuration files alone, for tensors that are there.
    func writeConfiguration() throws(CheckpointError) { _ = try writeConfiguration(writer.configuration) }

    private func writeConfiguration(_ model: ViTConfiguration) throws(CheckpointError) -> [String] {
        let transform = TimmTransform(writer.preprocessing, fed: model.imageSize)
        var notes: [String] = []
        let processor = Files.join(directory, "preprocessor_config.json")
        if !transform.isExact {
            notes.append("timm's settings cannot say all of the preprocessing; preprocessor_config.json does.")
            let settings = ProcessorSettings(writer.preprocessing, channels: model.inputChannels)
            try Files.write(settings.json.text() + "\n", to: processor)
        }
        if model.layerNormEpsilon != model.timmEpsilon, writer.mae?.decoder == nil {
            notes.append(
                "timm takes an epsilon of \(model.timmEpsilon) in the norms; this model has \(model.layerNormEpsilon).")
        }
        let json = configuration(model, transform)
        try Files.write(json.text() + "\n", to: Files.join(directory, "config.json"))
        return notes
    }

    private func configuration(_ model: ViTConfiguration, _ transform: TimmTransform) -> JSON {
        // Any architecture of timm's class does: the arguments say all that is particular.
        let architecture =
            model.hasDistillationToken
            ? "deit_base_distilled_patch16_224"
            : model.hasPreNorm ? "vit_base_patch32_clip_224" : "vit_base_patch16_224"
        var members = [
            JSON.Member("architecture", .string(architecture)),
            JSON.Member("num_classes", .integer(model.classCount)),
            JSON.Member("num_features", .integer(model.width)),
            JSON.Member("global_pool", .string(model.pooling.rawValue)),
        ]
        if let labels = writer.labels { members.append(JSON.Member("label_names", .array(labels.map { .string($0) }))) }
        if let activation = writer.activation, model.classCount > 0 { members.append(activation.problemType) }
        if model.layerNormEpsilon != model.timmEpsilon {
            members.append(JSON.Member("layer_norm_eps", .number(JSON.decimal(model.layerNormEpsilon))))
        }
        if let decoder = writer.mae?.decoder {
            members.append(JSON.Member("decoder_num_heads", .integer(decoder.heads)))
            members.append(JSON.Member("norm_pix_loss", .bool(writer.mae?.target == .normalized)))
            if let target = writer.mae?.target, !target.isPixels {
                members.append(JSON.Member(MAEConfiguration.targetName, .string(target.rawValue)))
            }
            if let ratio = writer.maskRatio { members.append(JSON.Member("mask_ratio", .number(ratio))) }
        }
        members.append(JSON.Member("model_args", .object(arguments(model))))
        members.append(JSON.Member("pretrained_cfg", Self.pretrained(model, writer.preprocessing, transform)))
        return .object(members)
    }

    private func arguments(_ model: ViTConfiguration) -> [JSON.Member] {
        let size = writer.trainedSize
        var ratio = Double(model.hiddenWidth) / Double(model.width)
        // timm rounds the product down.
        if Int(Double(model.width) * ratio) < model.hiddenWidth { ratio = ratio.nextUp }
        var arguments = [
            JSON.Member("img_size", .array([.integer(size.height), .integer(size.width)])),
            JSON.Member("patch_size", JSON.side(model.patchSize)),
            JSON.Member("in_chans", .integer(model.inputChannels)),
            JSON.Member("embed_dim", .integer(model.width)),
            JSON.Member("depth", .integer(model.depth)),
            JSON.Member("num_heads", .integer(model.heads)),
            JSON.Member("mlp_ratio", .number(ratio)),
            JSON.Member("qkv_bias", .bool(model.qkvBias)),
            JSON.Member("global_pool", .string(model.pooling.rawValue)),
            JSON.Member("no_embed_class", .bool(!model.prefixHasPosition)),
        ]
        if model.pooling == .meanPatches {
            arguments.append(JSON.Member("fc_norm", .bool(model.finalNorm == .afterPooling)))
            if model.finalNorm == .absent { arguments.append(JSON.Member("final_norm", .bool(false))) }
        }
        if model.hasLayerScale { arguments.append(JSON.Member("init_values", .number(1e-5))) }
        if !model.hasClassToken { arguments.append(JSON.Member("class_token", .bool(false))) }
        if model.registerCount > 0 { arguments.append(JSON.Member("reg_tokens", .integer(model.registerCount))) }
        if model.hasPreNorm { arguments.append(JSON.Member("pre_norm", .bool(true))) }
        if model.activation != .gelu { arguments.append(JSON.Member("act_layer", .string(model.activation.rawValue))) }
        if size != model.imageSize { arguments.append(JSON.Member("dynamic_img_size", .bool(true))) }
        return arguments
    }

    /// timm's `pretrained_cfg`: what the weights were made for, and how images are prepared.
    static func pretrained(
        _ model: any ModelConfiguration, _ preprocessing: Preprocessing, _ transform: TimmTransform
    ) -> JSON {
        let size = model.imageSize
        return .object([
            JSON.Member(
                "input_size", .array([.integer(model.inputChannels), .integer(size.height), .integer(size.width)])),
            JSON.Member("fixed_input_size", .bool(model.positionImageSize == nil || model.positionImageSize == size)),
            JSON.Member("interpolation", .string(preprocessing.interpolation.rawValue)),
            JSON.Member("crop_pct", .number(transform.fraction)),
            JSON.Member("crop_mode", .string(transform.mode)),
            JSON.Member("mean", JSON.channels(preprocessing.mean, model.inputChannels)),
            JSON.Member("std", JSON.channels(preprocessing.std, model.inputChannels)),
            JSON.Member("num_classes", .integer(model.classCount)),
            JSON.Member("pool_size", .null),
            JSON.Member("first_conv", .string("patch_embed.proj")),
            JSON.Member("classifier", .string("head")),
        ])
    }
}

/// A preprocessing in timm's terms: the part of the resized image that the crop keeps, and how it is resized.
struct TimmTransform {
    private(set) var fraction = 1.0
    private(set) var mode = "squash"
    /// Whether timm's terms say all of it.
    private(set) var isExact = false

    init(_ preprocessing: Preprocessing, fed: Size) {
        let crop = preprocessing.crop ?? fed
        let resized: (width: Int, height: Int)
        switch preprocessing.resize {
        case .none: return
        case .exact(let width, let height): resized = (width, height)
        case .cover(let width, let height):
            resized = (width, height)
            mode = "center"
        case .shortestEdge(let edge):
            mode = "center"
            resized = (edge, edge)
            guard crop.width == crop.height, preprocessing.crop != nil else { return }
        }
        // The customary fractions first: 0.9 says more than 0.9032.
        let candidates = [
            1, 0.95, 0.9, 0.875, 0.85, 0.8, 0.75, Double(crop.height) / Double(resized.height),
            (Double(crop.height) / Double(resized.height)).nextDown,
        ]
        func fits(_ fraction: Double) -> Bool {
            Int(Double(crop.height) / fraction) == resized.height && Int(Double(crop.width) / fraction) == resized.width
        }
        guard let fraction = candidates.first(where: fits) else { return }
        self.fraction = fraction
        let isCropEven = resized.width == crop.width && resized.height == crop.height && mode == "squash"
        isExact =
            abs(preprocessing.rescaleFactor * 255 - 1) < 1e-9
            && (preprocessing.cropRounding == .halfToEven || isCropEven)
    }
}
