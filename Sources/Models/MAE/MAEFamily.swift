import Support

/// Masked autoencoders with their decoder; an encoder alone is a ViT.
struct MAEFamily: ModelFamily {
    let name = "MAE"
    let modelTypes = ["vit_mae"]

    func obstacle(architecture: String) -> String? { ViTFamily().obstacle(architecture: architecture) }

    func recognizes(_ files: CheckpointFiles) -> Bool {
        guard let names = KeyMap.detect(files) else { return false }
        return files.names.contains { names.decoderBlockIndex(of: $0) != nil }
            && KeyMap.unsupportedFeature(names: files.names) == nil && !files.predictsOtherThanPixels
    }

    func read(_ files: CheckpointFiles) throws(CheckpointError) -> CheckpointContents {
        let names = KeyMap.detect(files) ?? KeyMap(layout: .mae)
        var reading = try ViTReading(files, names: names)
        let decoder = try MAEDecoderReading(&reading, files.weights)
        var configuration = MAEConfiguration(encoder: reading.description.configuration, decoder: decoder.decoder)
        // A head beside the decoder stays.
        configuration.encoder = reading.description.configuration
        configuration.target = decoder.target
        configuration.maskRatio = decoder.maskRatio ?? configuration.maskRatio
        return try reading.contents(configuration, hasDecoder: true, unstated: decoder.unstated)
    }

    func huggingFaceObstacle(_ configuration: MAEConfiguration) -> String? {
        HuggingFaceExport.obstacle(configuration.encoder, hasDecoder: true)
    }

    func write(
        _ configuration: MAEConfiguration, of writer: CheckpointWriter, to directory: String, as layout: ExportLayout,
        tensor: TensorSource
    ) throws(CheckpointError) -> [String] {
        try ViTExport(configuration.encoder, mae: configuration, of: writer).write(
            to: directory, as: layout, tensor: tensor)
    }

    func writeConfiguration(
        _ configuration: MAEConfiguration, of writer: CheckpointWriter, to directory: String
    ) throws(CheckpointError) {
        let export = ViTExport(configuration.encoder, mae: configuration, of: writer)
        try TimmExport(export, directory: directory).writeConfiguration()
    }

    func rows(_ configuration: MAEConfiguration, classes: String) -> [(name: String, value: String)] {
        let decoder = configuration.decoder
        let target = configuration.target == .normalized ? "normalised pixels" : "pixels"
        let text =
            "\(counted(decoder.depth, "block")), width \(decoder.width), \(counted(decoder.heads, "head")), "
            + "MLP \(decoder.hiddenWidth), predicts \(target)"
        return ViTFamily().rows(configuration.encoder, classes: classes) + [("decoder", text)]
    }

    func json(_ configuration: MAEConfiguration) -> JSON { configuration.encoder.json }

    func furtherJSON(_ configuration: MAEConfiguration, unstated: Set<String>) -> [JSON.Member] {
        let decoder = configuration.decoder
        var members = [
            JSON.Member(
                "decoder",
                .object([
                    JSON.Member("width", .integer(decoder.width)), JSON.Member("depth", .integer(decoder.depth)),
                    JSON.Member("heads", .integer(decoder.heads)),
                    JSON.Member("hidden_width", .integer(decoder.hiddenWidth)),
                ])),
            JSON.Member(MAEConfiguration.targetName, .string(configuration.target.rawValue)),
        ]
        if !unstated.contains(MAEConfiguration.maskRatioName) {
            members.append(JSON.Member(MAEConfiguration.maskRatioName, .number(configuration.maskRatio)))
        }
        return members
    }
}

extension CheckpointFiles {
    /// Whether the configuration of a run's checkpoint states a target that no reconstruction can be made of; the encoder
    /// is what is left then.
    var predictsOtherThanPixels: Bool {
        guard let word = configuration?.json[MAEConfiguration.targetName]?.string,
            let target = MAEConfiguration.Target(rawValue: word)
        else { return false }
        return !target.isPixels
    }
}

extension MAEConfiguration {
    /// What `vit inspect` calls the target and the mask ratio.
    package static let targetName = "decoder_target"
    package static let maskRatioName = "mask_ratio"
}
