import Support

/// The folder of a training run, where it stands for a checkpoint.
enum RunFolder {
    /// The result of the run at `path`, or its newest checkpoint while there is no result; nil where no run is there, or
    /// none that has saved anything.
    static func model(in path: String) throws(CheckpointError) -> String? {
        let (result, checkpoints) = (Files.join(path, "model"), Files.join(path, "checkpoints"))
        guard try Files.kind(of: checkpoints) == .directory,
            try Files.kind(of: Files.join(path, "config.json")) == .file
        else { return nil }
        if try Files.kind(of: result) == .directory { return result }
        let newest = try Files.names(in: checkpoints).compactMap { Int($0) }.max()
        return newest.map { Files.join(checkpoints, String($0)) }
    }
}
