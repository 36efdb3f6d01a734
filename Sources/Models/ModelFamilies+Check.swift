import Support

extension ModelFamilies {
    /// Throws where the configuration file in a directory describes a model that no family reads: known before its weights
    /// are there. A file that describes no model, or none, says nothing.
    package static func checkConfiguration(in directory: String) throws(CheckpointError) {
        let path = Files.join(directory, "config.json")
        guard try Files.kind(of: path) == .file else { return }
        let json = try JSON.file(path)
        if let architecture = json["architecture"]?.string {
            let obstacles = all.map { $0.obstacle(architecture: architecture) }
            guard !obstacles.contains(nil) else { return }
            // Most architectures are plain or nearly so: what hinders the family of those says most.
            let feature = ViTFamily().obstacle(architecture: architecture) ?? "another layout"
            throw .malformed(path, "describes \(architecture), which has \(feature); that is not supported")
        }
        guard let type = json["model_type"]?.string else { return }
        let types = Set(all.flatMap(\.modelTypes))
        guard !types.contains(type) else { return }
        throw .malformed(
            path, "describes a model of type \(type); \(types.sorted().joined(separator: ", ")) can be read")
    }
}
