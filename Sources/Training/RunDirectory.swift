import Checkpoints

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where the files of a run lie, and the care that keeps them whole.
package struct RunDirectory {
    let path: String

    package init(path: String) { self.path = path }

    var configuration: String { Files.join(path, "config.json") }
    var metrics: String { Files.join(path, "metrics.jsonl") }
    var tensorboard: String { Files.join(path, "tensorboard") }
    var report: String { Files.join(path, "report.html") }
    var pictures: String { Files.join(path, "reconstructions") }
    var mistakes: String { Files.join(path, "mistakes") }
    var evaluation: String { Files.join(path, "evaluation.json") }
    var checkpoints: String { Files.join(path, "checkpoints") }
    var model: String { Files.join(path, "model") }

    /// Whether a run has begun here.
    var isRun: Bool { Files.sort(configuration) == .file }

    func checkpoint(_ step: Int) -> String { Files.join(checkpoints, String(step)) }

    /// The steps that have a checkpoint, in order. Directories take their names when they are whole.
    package var checkpointSteps: [Int] {
        Files.names(in: checkpoints).compactMap { name in Int(name).flatMap { String($0) == name ? $0 : nil } }.sorted()
    }

    /// Makes the directory and takes hold of it until the process ends.
    package func open() throws -> RunLock {
        try Files.makeDirectory(path)
        try Files.makeDirectory(checkpoints)
        let lock = try RunLock(path)
        for name in Files.names(in: checkpoints, hidden: true) where name.hasPrefix(".") {
            Self.remove(Files.join(checkpoints, name))
        }
        return lock
    }

    /// Fills a directory beside its place, and gives it its name when `fill` is done and all is on the disk.
    func writeWhole(_ destination: String, _ fill: (_ directory: String) throws -> Void) throws {
        let parent = Files.directory(of: destination)
        let partial = Files.join(parent, ".\(Files.name(of: destination)).partial")
        Self.remove(partial)
        try Files.makeDirectory(partial)
        do {
            try fill(partial)
        } catch {
            Self.remove(partial)
            throw error
        }
        Self.synchronize(partial)
        Self.remove(destination)
        guard unsafe rename(partial, destination) == 0 else {
            throw TrainingError(.cannotCreate, "\(destination): cannot be put in its place: \(Self.reason(errno))")
        }
        Self.synchronize(parent)
    }

    /// Removes all but the latest `count` checkpoints and the best one; 0 keeps all.
    func keepCheckpoints(_ count: Int, best: Int? = nil) {
        guard count > 0 else { return }
        for step in checkpointSteps.dropLast(count) where step != best { Self.remove(checkpoint(step)) }
    }

    /// Removes a file, or a directory with all in it.
    package static func remove(_ path: String) {
        if Files.sort(path) == .directory {
            for name in Files.names(in: path, hidden: true) { remove(Files.join(path, name)) }
            unsafe rmdir(path)
        } else {
            unsafe unlink(path)
        }
    }

    /// Makes the names in a directory last through a power cut.
    private static func synchronize(_ directory: String) {
        let descriptor = unsafe Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    static func reason(_ code: Int32) -> String {
        unsafe strerror(code).map { unsafe String(cString: $0) } ?? "system error \(code)"
    }
}

/// Keeps a second process out of a run.
package final class RunLock {
    private let descriptor: Int32

    fileprivate init(_ path: String) throws(TrainingError) {
        descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw TrainingError(.inputOutput, "\(path): cannot be opened: \(RunDirectory.reason(errno))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw TrainingError(
                .cannotCreate, "\(path): another process trains in it; wait for it, or name another run")
        }
    }

    deinit {
        // Closing is not enough while a process that was just started still has a copy of the descriptor.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
