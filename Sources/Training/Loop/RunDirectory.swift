import Support

/// The paths of a run's files.
package struct RunDirectory {
    let path: String

    package init(path: String) { self.path = path }

    var configuration: String { Files.join(path, "config.json") }
    var metrics: String { Files.join(path, "metrics.jsonl") }
    var tensorboard: String { Files.join(path, "tensorboard") }
    var report: String { Files.join(path, "report.html") }
    var reconstructions: String { Files.join(path, "reconstructions") }
    /// Images of the most confident errors.
    var errors: String { Files.join(path, "mistakes") }
    var evaluation: String { Files.join(path, "evaluation.json") }
    var checkpoints: String { Files.join(path, "checkpoints") }
    var model: String { Files.join(path, "model") }

    /// Whether a run has begun here.
    var isRun: Bool { get throws(FileError) { try Files.kind(of: configuration) == .file } }

    func checkpoint(_ step: Int) -> String { Files.join(checkpoints, String(step)) }

    /// The steps that have a checkpoint, in order. Directories take their names when they are whole.
    package var checkpointSteps: [Int] {
        get throws(FileError) {
            try Files.names(in: checkpoints).compactMap { name in Int(name).flatMap { String($0) == name ? $0 : nil } }
                .sorted()
        }
    }

    /// Makes the directory and keeps other processes out of it while the lock lives.
    ///
    /// - Parameter note: takes a sentence where nothing can keep them out.
    package func open(note: (String) -> Void = { _ in }) throws -> RunLock {
        try Files.makeDirectory(path)
        try Files.makeDirectory(checkpoints)
        let lock = try RunLock(path, note: note)
        for directory in [path, checkpoints, reconstructions, tensorboard] {
            try Files.removeAbandoned(in: directory)
        }
        return lock
    }

    /// Removes all but the latest `count` checkpoints and the best one; 0 keeps all.
    func keepCheckpoints(_ count: Int, best: Int? = nil) throws(FileError) {
        guard count > 0 else { return }
        for step in try checkpointSteps.dropLast(count) where step != best { try Files.removeWhole(checkpoint(step)) }
    }
}
