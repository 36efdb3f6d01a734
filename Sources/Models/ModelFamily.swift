import Support

/// A family of models: how its checkpoints are recognised, read, written and described.
///
/// A new family is a folder with its configuration, its model and one type of this protocol, and a line in `ModelFamilies`.
package protocol ModelFamily: Sendable {
    /// The shape of a model of the family.
    associatedtype Configuration: ModelConfiguration

    /// What the family is called.
    var name: String { get }

    /// The names of tensors that every checkpoint of the family has one of: a model is found by them in a larger file.
    var anchors: [String] { get }

    /// The `model_type`s of transformers' configurations of the family.
    var modelTypes: [String] { get }

    /// Why a model whose timm configuration names this architecture is not of the family, as a noun; nil where it may be.
    func obstacle(architecture: String) -> String?

    /// Whether the files are a checkpoint of this family, by the names of the tensors and the configuration files.
    func recognizes(_ files: CheckpointFiles) -> Bool

    /// Reads the files: the configuration, where each tensor is, what is ignored and why, labels, assumptions and
    /// preprocessing.
    func read(_ files: CheckpointFiles) throws(CheckpointError) -> CheckpointContents

    /// What a model has that no class of transformers has, as a noun; nil where that layout can hold it.
    func huggingFaceObstacle(_ configuration: Configuration) -> String?

    /// Writes all files of a checkpoint into `directory`; see `CheckpointWriter.write`.
    func write(
        _ configuration: Configuration, of writer: CheckpointWriter, to directory: String, as layout: ExportLayout,
        tensor: TensorSource
    ) throws(CheckpointError) -> [String]

    /// Writes the configuration files beside tensors under canonical names; see `CheckpointWriter.writeConfiguration`.
    func writeConfiguration(
        _ configuration: Configuration, of writer: CheckpointWriter, to directory: String
    ) throws(CheckpointError)

    /// What `vit inspect` prints of a model: names and values, empty ones left out.
    ///
    /// - Parameter classes: the value of the row on its classes.
    func rows(_ configuration: Configuration, classes: String) -> [(name: String, value: String)]

    /// The configuration for programs.
    func json(_ configuration: Configuration) -> JSON

    /// The configuration from what `json(_:)` made of it, for runs that begin with a model of the family; nil where the
    /// JSON is none.
    func configuration(_ json: JSON) -> Configuration?

    /// What stands beside the configuration for programs; `unstated`: the settings that no file states.
    func furtherJSON(_ configuration: Configuration, unstated: Set<String>) -> [JSON.Member]
}

extension ModelFamily {
    package var anchors: [String] { ["patch_embed.proj.weight"] }
    package func configuration(_ json: JSON) -> Configuration? { nil }
    package func furtherJSON(_ configuration: Configuration, unstated: Set<String>) -> [JSON.Member] { [] }
}

// The same of configurations whose family is looked up.
extension ModelFamily {
    /// Whether a configuration is one of this family.
    package func owns(_ configuration: any ModelConfiguration) -> Bool { configuration is Configuration }

    private func own(_ configuration: any ModelConfiguration) -> Configuration {
        guard let own = configuration as? Configuration else {
            preconditionFailure("ModelFamily: \(name) was asked of a \(type(of: configuration))")
        }
        return own
    }

    func huggingFaceObstacle(_ writer: CheckpointWriter) -> String? { huggingFaceObstacle(own(writer.configuration)) }

    func write(
        _ writer: CheckpointWriter, to directory: String, as layout: ExportLayout, tensor: TensorSource
    ) throws(CheckpointError) -> [String] {
        try write(own(writer.configuration), of: writer, to: directory, as: layout, tensor: tensor)
    }

    func writeConfiguration(_ writer: CheckpointWriter, to directory: String) throws(CheckpointError) {
        try writeConfiguration(own(writer.configuration), of: writer, to: directory)
    }

    /// See `rows(_:classes:)`.
    package func rows(of checkpoint: Checkpoint, classes: String) -> [(name: String, value: String)] {
        rows(own(checkpoint.configuration), classes: classes)
    }

    /// See `json(_:)`.
    package func json(of configuration: any ModelConfiguration) -> JSON { json(own(configuration)) }

    /// See `furtherJSON(_:unstated:)`.
    package func furtherJSON(of checkpoint: Checkpoint) -> [JSON.Member] {
        furtherJSON(own(checkpoint.configuration), unstated: checkpoint.unstated)
    }
}
