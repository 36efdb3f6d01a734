import Support

/// ViT, DeiT, DeiT III, DINOv2, and the encoders of masked autoencoders.
struct ViTFamily: ModelFamily {
    let name = "ViT"
    var modelTypes: [String] { HuggingFaceConfiguration.modelTypes }
    let anchors = ["patch_embed.proj.weight", KeyMap.huggingFaceAnchor, MMPretrainNames.anchor]

    func obstacle(architecture: String) -> String? { TimmArchitecture(name: architecture).unsupportedFeature }

    func recognizes(_ files: CheckpointFiles) -> Bool {
        KeyMap.detect(files) != nil
            && KeyMap.unsupportedFeature(names: files.names) == nil
    }

    func read(_ files: CheckpointFiles) throws(CheckpointError) -> CheckpointContents {
        let names = KeyMap.detect(files) ?? KeyMap(layout: .timm)
        var reading = try ViTReading(files, names: names)
        if files.predictsOtherThanPixels {
            for name in files.names where name.hasPrefix("decoder_") {
                reading.description.ignored[name] = "a decoder that does not predict pixels"
            }
        }
        return try reading.contents(reading.description.configuration)
    }

    func huggingFaceObstacle(_ configuration: ViTConfiguration) -> String? {
        HuggingFaceExport.obstacle(configuration, hasDecoder: false)
    }

    func write(
        _ configuration: ViTConfiguration, of writer: CheckpointWriter, to directory: String, as layout: ExportLayout,
        tensor: TensorSource
    ) throws(CheckpointError) -> [String] {
        try ViTExport(configuration, of: writer).write(to: directory, as: layout, tensor: tensor)
    }

    func writeConfiguration(
        _ configuration: ViTConfiguration, of writer: CheckpointWriter, to directory: String
    ) throws(CheckpointError) {
        try TimmExport(ViTExport(configuration, of: writer), directory: directory).writeConfiguration()
    }

    func rows(_ configuration: ViTConfiguration, classes: String) -> [(name: String, value: String)] {
        [
            ("tokens", configuration.tokensText), ("encoder", configuration.encoderText),
            ("positions", configuration.positionsText), ("pooling", configuration.poolingText),
            ("projection", configuration.projectionText), ("classes", classes),
        ]
    }

    func json(_ configuration: ViTConfiguration) -> JSON { configuration.json }
}

extension Checkpoint {
    /// The Vision Transformer that this is, or that a masked autoencoder has as its encoder.
    ///
    /// Errors: `CheckpointError` if it is a model of another family.
    package func visionTransformer() throws(CheckpointError) -> ViTConfiguration {
        guard let configuration = configuration.backbone as? ViTConfiguration else {
            throw .malformed(
                path, "holds a \(family.name); this works with Vision Transformers alone")
        }
        return configuration
    }
}
