import Layers

extension Checkpoint: ParameterSource {
    package func parameter(_ name: String) throws -> Parameter { Parameter(value: try tensor(name)) }

    package func didPack(_ name: String) { releasePages(of: name) }
}
