import Support

/// The families that this package knows.
package enum ModelFamilies {
    /// The first that recognises a checkpoint reads it.
    package static let all: [any ModelFamily] = [
        CaiTFamily(),
        TwoTowerFamily(),
        MAEFamily(),
        ViTFamily(),
    ]

    /// The family of a checkpoint.
    static func family(of files: CheckpointFiles) throws(CheckpointError) -> any ModelFamily {
        if let family = all.first(where: { $0.recognizes(files) }) { return family }
        let (path, names) = (files.weights.path, files.names)
        if let feature = KeyMap.unsupportedFeature(names: names) {
            throw .malformed(path, "holds a model with \(feature), which is not supported")
        }
        throw .malformed(
            path,
            names.isEmpty
                ? "holds \(files.weights.summary.map { "\($0), and " } ?? "")no tensors"
                : "has the layout of no Vision Transformer that can be read; its tensors begin "
                    + names.prefix(3).joined(separator: ", "))
    }

    /// The configuration that a family made JSON of; nil where it was none.
    package static func configuration(_ json: JSON) -> (any ModelConfiguration)? {
        all.lazy.compactMap { $0.configuration(json) }.first
    }

    /// The family that a configuration is of.
    package static func family(of configuration: any ModelConfiguration) -> any ModelFamily {
        guard let family = all.first(where: { $0.owns(configuration) }) else {
            preconditionFailure("ModelFamilies: a \(type(of: configuration)) is of no family")
        }
        return family
    }
}
