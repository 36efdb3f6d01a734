import Imaging
import Support

/// CLIP and SigLIP, in the layouts of transformers and OpenCLIP. A vision tower alone is a Vision Transformer.
struct TwoTowerFamily: ModelFamily {
    let name = "CLIP or SigLIP"
    let anchors = TowerNames.anchors
    var modelTypes: [String] { TransformersTowers.types }

    func obstacle(architecture: String) -> String? { ViTFamily().obstacle(architecture: architecture) }

    func recognizes(_ files: CheckpointFiles) -> Bool { TowerNames.detect(files.names) != nil }

    func read(_ files: CheckpointFiles) throws(CheckpointError) -> CheckpointContents {
        guard let names = TowerNames.detect(files.names) else {
            throw .malformed(files.weights.path, "holds no vision tower")
        }
        return try TowerReading(files, names: names).contents()
    }

    func huggingFaceObstacle(_ configuration: TwoTowerConfiguration) -> String? {
        TowerExport.kind(of: configuration) == nil ? "these two towers" : nil
    }

    func write(
        _ configuration: TwoTowerConfiguration, of writer: CheckpointWriter, to directory: String,
        as layout: ExportLayout, tensor: TensorSource
    ) throws(CheckpointError) -> [String] {
        switch layout {
        case .huggingFace, .openCLIP:
            let export = ViTExport(configuration.vision, of: writer)
            return try TowerExport(export, whole: configuration, directory: directory).write(as: layout, tensor)
        case .timm, .mae:
            throw .malformed(
                directory,
                "the layout \(layout.rawValue) has no place for a text tower; hf and open_clip can hold it, and timm the vision "
                    + "tower alone (--encoder-only)")
        }
    }

    func writeConfiguration(
        _ configuration: TwoTowerConfiguration, of writer: CheckpointWriter, to directory: String
    ) throws(CheckpointError) {
        let export = ViTExport(configuration.vision, of: writer)
        try TowerExport(export, whole: configuration, directory: directory).writeConfiguration()
    }

    func rows(_ configuration: TwoTowerConfiguration, classes: String) -> [(name: String, value: String)] {
        ViTFamily().rows(configuration.vision, classes: "").filter { $0.name != "classes" } + [
            ("text", configuration.text.encoderText), ("vocabulary", configuration.text.vocabularyText),
            ("text pool", configuration.text.poolingText),
            ("embeddings", "\(configuration.embeddingWidth) numbers, compared by \(configuration.scoringText)"),
        ]
    }

    func json(_ configuration: TwoTowerConfiguration) -> JSON { configuration.vision.json }

    func furtherJSON(_ configuration: TwoTowerConfiguration, unstated: Set<String>) -> [JSON.Member] {
        [
            JSON.Member("text_tower", configuration.text.json),
            JSON.Member("embedding_width", .integer(configuration.embeddingWidth)),
            JSON.Member("scoring", .string(configuration.scoring.rawValue)),
        ]
    }
}

/// A checkpoint of two towers, or of the vision tower alone, while it is read.
private struct TowerReading {
    private let files: CheckpointFiles
    private let table: TensorTable<TowerNames>

    init(_ files: CheckpointFiles, names: TowerNames) throws(CheckpointError) {
        self.files = files
        table = try TensorTable(files, names: names)
    }

    func contents() throws(CheckpointError) -> CheckpointContents {
        let (names, path) = (table.names, table.path)
        var assumptions: [String] = []
        var vision = try table.visionTower()
        var text = try table.textTower()
        let shape = table.shape(of: "pos_embed") ?? []
        guard shape.count >= 2 else { throw .malformed(path, "lacks the positions of its vision tower") }
        let rows = shape[shape.count - 2]
        var head: (labels: [String]?, activation: HeadActivation?) = (nil, nil)
        let preprocessing: Preprocessing
        switch names.vision {
        case .transformers:
            let towers = try TransformersTowers(files.configuration, weights: path)
            try towers.apply(to: &vision, rows: rows, &assumptions)
            if var tower = text {
                try towers.apply(to: &tower)
                text = tower
            }
            head = try towers.head(classCount: vision.classCount)
            preprocessing = try self.preprocessing(vision, isSigLIP: towers.isSigLIP, &assumptions)
        case .openCLIP, .timm:
            let towers = try OpenCLIPTowers(files.openCLIP, weights: path)
            try towers.apply(to: &vision, rows: rows, &assumptions)
            if var tower = text {
                try towers.apply(to: &tower)
                text = tower
            }
            preprocessing = try towers.preprocessing(imageSize: vision.imageSize)
        }
        try preprocessing.check(channels: vision.inputChannels, path: path)
        let configuration =
            try text.map { text throws(CheckpointError) in try whole(vision, text) as any ModelConfiguration }
            ?? vision
        var contents = try contents(configuration, preprocessing, assumptions)
        contents.labels = head.labels
        contents.activation = head.activation ?? contents.activation
        return contents
    }

    private func whole(
        _ vision: ViTConfiguration, _ text: TextTowerConfiguration
    ) throws(CheckpointError) -> TwoTowerConfiguration {
        var whole = TwoTowerConfiguration(vision: vision, text: text)
        whole.hasLogitBias = table.contains(TwoTowerConfiguration.logitBias)
        guard vision.projectionWidth > 0 || vision.pooling == .attention || table.names.vision == .timm else {
            throw .malformed(
                table.path,
                "has no projection and no attention pooling of images, which are compared with texts by one of them")
        }
        let width = whole.featureShape(whole.headPooling)[0]
        guard width == whole.embeddingWidth else {
            throw .malformed(
                table.path,
                "embeds images as \(width) numbers and texts as \(whole.embeddingWidth); the same were expected")
        }
        return whole
    }

    private func contents(
        _ configuration: any ModelConfiguration, _ preprocessing: Preprocessing, _ assumptions: [String]
    ) throws(CheckpointError) -> CheckpointContents {
        let names = table.names
        let shapes = table.tensors.mapValues(\.shape)
        let resolver = TensorResolver(table: table) { names.reasonToIgnore($0) }
        let resolved = try resolver.resolve(configuration.parameterShapes.map { names.stored($0, in: shapes) })
        let kind =
            configuration is TwoTowerConfiguration
            ? "image and text tower" : configuration.classCount > 0 ? "vision tower with a head" : "vision tower"
        return CheckpointContents(
            configuration: configuration, layout: names.layout,
            summary: "\(names.layout.summary), \(kind)",
            preprocessing: preprocessing, labels: nil,
            activation: (configuration as? TwoTowerConfiguration)?.scoring, assumptions: assumptions,
            recipes: resolved.recipes, ignored: resolved.ignored)
    }

    private func preprocessing(
        _ vision: ViTConfiguration, isSigLIP: Bool, _ assumptions: inout [String]
    ) throws(CheckpointError) -> Preprocessing {
        let family: Family = isSigLIP ? .siglip : .clip
        if let (json, path) = files.processor {
            return try HuggingFaceConfiguration.preprocessing(json, path: path, family: family)
        }
        var description = ModelDescription()
        (description.family, description.configuration, description.statesImageSize) = (family, vision, true)
        let (preprocessing, assumption) = FamilyPreprocessing.preprocessing(description, layout: .huggingFace)
        assumptions.append(assumption)
        return preprocessing
    }
}
