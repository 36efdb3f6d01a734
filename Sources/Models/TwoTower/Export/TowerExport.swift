import Compute
import Support
import TensorFiles

/// Writes a vision tower, or both towers, as transformers or OpenCLIP reads them.
struct TowerExport {
    /// The models that transformers has.
    enum Kind {
        case clip
        case sigLIP
    }

    private let writer: ViTExport
    private let whole: TwoTowerConfiguration?
    private let directory: String

    init(_ writer: ViTExport, whole: TwoTowerConfiguration? = nil, directory: String) {
        (self.writer, self.whole, self.directory) = (writer, whole, directory)
    }

    private var vision: ViTConfiguration { writer.configuration }

    /// Whether transformers has a class for such a vision tower alone, or with a head of classes.
    static func holds(_ vision: ViTConfiguration) -> Bool { kind(of: vision) != nil }

    static func kind(of vision: ViTConfiguration) -> Kind? {
        guard vision.qkvBias, !vision.hasLayerScale, vision.registerCount == 0, !vision.hasDistillationToken,
            vision.prefixHasPosition
        else { return nil }
        let isCLIP = vision.hasPreNorm && !vision.patchBias && vision.hasClassToken
        let isSigLIP = !vision.hasPreNorm && vision.patchBias && !vision.hasClassToken && vision.projectionWidth == 0
        if vision.classCount > 0 {
            // The head of both reads the mean of the patches.
            guard vision.pooling == .meanPatches, vision.projectionWidth == 0 else { return nil }
            if isCLIP, vision.finalNorm == .absent { return .clip }
            return isSigLIP && vision.finalNorm == .beforePooling ? .sigLIP : nil
        }
        guard vision.finalNorm == .beforePooling else { return nil }
        if isCLIP, vision.pooling == .classToken { return .clip }
        return isSigLIP && vision.pooling == .attention ? .sigLIP : nil
    }

    static func kind(of whole: TwoTowerConfiguration) -> Kind? {
        let text = whole.text
        guard let kind = kind(of: whole.vision), !text.hasLayerScale, text.projectionWidth > 0 else { return nil }
        switch kind {
        case .clip:
            let isCLIP =
                text.isCausal && !text.projectionBias && !whole.hasLogitBias && whole.vision.projectionWidth > 0
                && ![.first, .last].contains(text.pooling)
            return isCLIP ? kind : nil
        case .sigLIP:
            return !text.isCausal && text.projectionBias && whole.hasLogitBias && text.pooling == .last ? kind : nil
        }
    }

    func write(as layout: ExportLayout, _ source: TensorSource) throws(CheckpointError) -> [String] {
        layout == .openCLIP ? try writeOpenCLIP(source) : try writeTransformers(source)
    }

    // MARK: transformers

    private func transformersKind() throws(CheckpointError) -> Kind {
        guard let kind = whole.map({ Self.kind(of: $0) }) ?? Self.kind(of: vision) else {
            throw .malformed(
                directory, "transformers' CLIP and SigLIP have no such towers; the layout open_clip may hold them")
        }
        return kind
    }

    private func writeTransformers(_ source: TensorSource) throws(CheckpointError) -> [String] {
        let kind = try transformersKind()
        var names = TowerNames(vision: .transformers, visionPrefix: "vision_model.")
        if whole != nil { names.textPrefix = "text_model." }
        names.hasTextHead = kind == .sigLIP
        names.isClassifier = vision.classCount > 0
        try Files.makeDirectory(directory)
        try write(names, scalars: kind == .sigLIP ? [1] : [], to: "model.safetensors", source)
        let settings = ProcessorSettings(writer.preprocessing, channels: vision.inputChannels)
        try Files.write(settings.json.text() + "\n", to: Files.join(directory, "preprocessor_config.json"))
        try writeConfiguration()
        return settings.notes
    }

    /// The configuration file of transformers.
    func writeConfiguration() throws(CheckpointError) {
        let configuration = TransformersTowersJSON(
            kind: try transformersKind(), vision: vision, imageSize: writer.trainedSize, whole: whole)
        var members = configuration.members + HuggingFaceExport.labelMembers(writer)
        members.append(JSON.Member("torch_dtype", .string(writer.halfPrecision ? "float16" : "float32")))
        try Files.write(JSON.object(members).text() + "\n", to: Files.join(directory, "config.json"))
    }

    // MARK: OpenCLIP

    private func writeOpenCLIP(_ source: TensorSource) throws(CheckpointError) -> [String] {
        guard let whole else {
            throw .malformed(directory, "OpenCLIP has no model of images alone; the layouts hf and timm may hold it")
        }
        let json = try OpenCLIPTowersJSON(
            whole, imageSize: writer.trainedSize, preprocessing: writer.preprocessing, directory: directory)
        var names = TowerNames(vision: .openCLIP, visionPrefix: "visual.", textPrefix: json.isCustomText ? "text." : "")
        names.hasLinearTextProjection = whole.text.projectionBias
        try Files.makeDirectory(directory)
        try write(names, scalars: [], to: "open_clip_model.safetensors", source)
        try Files.write(json.json.text() + "\n", to: Files.join(directory, "open_clip_config.json"))
        return json.notes
    }

    // MARK: Tensors

    private func write(
        _ names: TowerNames, scalars: [Int], to file: String, _ source: TensorSource
    ) throws(CheckpointError) {
        let shapes = (whole ?? vision as any ModelConfiguration).parameterShapes
        var stored: [ParameterShape] = []
        var plan: [ExportedTensor] = []
        for parameter in shapes {
            if [TwoTowerConfiguration.logitScale, TwoTowerConfiguration.logitBias].contains(parameter.name) {
                let rows = 0..<(scalars.first ?? 0)
                plan.append(
                    ExportedTensor(name: parameter.name, shape: scalars, canonical: parameter.name, rows: rows))
                continue
            }
            // Keys and values follow the queries in one tensor.
            if parameter.name.hasPrefix("attn_pool.kv.") { continue }
            var shape = names.stored(parameter, in: [:]).stored
            if names.parts(of: parameter.name).first?.permutation != nil { shape.shape.reverse() }
            stored.append(shape)
        }
        if vision.finalNorm == .absent {
            // Unused by a classifier, and missed by transformers where it is not there.
            stored += ViTConfiguration.normShapes("norm", vision.width)
        }
        plan = ExportedTensor.plan(stored, names) + plan
        let (isNormless, width) = (vision.finalNorm == .absent, vision.width)
        try plan.writeSafetensors(to: Files.join(directory, file), as: writer.type) { (name) throws(CheckpointError) in
            if isNormless, name == "norm.weight" || name == "norm.bias" {
                return Tensor([Float](repeating: name == "norm.weight" ? 1 : 0, count: width), shape: [width])
            }
            return try Self.tensor(name, names, scalars: scalars, source)
        }
    }

    /// A tensor as the layout stores it.
    private static func tensor(
        _ name: String, _ names: TowerNames, scalars: [Int], _ source: TensorSource
    ) throws(CheckpointError) -> Tensor {
        if name.hasPrefix("attn_pool.in_proj.") {
            let suffix = name.dropFirst("attn_pool.in_proj.".count)
            let (query, others) = (try source("attn_pool.q.\(suffix)"), try source("attn_pool.kv.\(suffix)"))
            return Tensor(query.values + others.values, shape: [3 * query.shape[0]] + query.shape.dropFirst())
        }
        let tensor = try source(name)
        if [TwoTowerConfiguration.logitScale, TwoTowerConfiguration.logitBias].contains(name) {
            return tensor.reshaped(scalars)
        }
        if names.parts(of: name).first?.permutation != nil { return tensor.transposed }
        return tensor.reshaped(names.stored(ParameterShape(name, tensor.shape), in: [:]).stored.shape)
    }
}

extension Tensor {
    /// A copy of a matrix with rows and columns exchanged.
    fileprivate var transposed: Tensor {
        let (rows, columns, values) = (shape[0], shape[1], values)
        return Tensor((0..<count).map { values[$0 % rows * columns + $0 / rows] }, shape: [columns, rows])
    }
}
