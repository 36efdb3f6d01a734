import LibC
import Support

/// Keeps other runs out of a directory, including those on other machines that share its file system.
///
/// There are two locks, and both are released when the process ends in any way. One is on the directory, for this machine.
/// NFS has no locks on directories, but locks on files hold on all machines.
package struct RunLock {
    private let directory: FileLock?
    private let file: FileLock?
    /// The directory as it was, where it has no lock.
    private let identity: Files.Identity?

    /// - Parameter note: takes a sentence where the file system has no locks at all.
    init(_ path: String, note: (String) -> Void) throws {
        directory = try Self.lock(path, with: FileLock.take, in: path, holder: nil)
        let name = Files.join(path, ".lock")
        let holder = try? String(decoding: Files.bytes(of: name), as: UTF8.self)
        file = try Self.lock(name, with: FileLock.takeFile, in: path, holder: holder)
        identity = try Files.statusIfAny(path)?.identity
        if file == nil {
            note("\(path): its file system has no locks; take care that no other run is in it")
        }
        try file?.write("\(Self.hostName), process \(getpid())\n", as: name)
    }

    /// Whether what is locked still has the name `path`.
    func holds(_ path: String) throws(FileError) -> Bool {
        if let directory { return try directory.holds(path) }
        return try Files.statusIfAny(path)?.identity == identity
    }

    /// Nil where the file system has no such locks.
    private static func lock(
        _ path: String, with take: (String) throws(SystemError) -> FileLock?, in directory: String,
        holder: String?
    ) throws(TrainingError) -> FileLock? {
        do throws(SystemError) {
            if let lock = try take(path) { return lock }
        } catch {
            // An exclusive lock of NFS takes a file that is open for writing, which no directory is.
            if [EBADF, ENOLCK, ENOSYS, ENOTSUP, EINVAL].contains(error.code) { return nil }
            throw TrainingError(.inputOutput, "\(directory): cannot be opened: \(error)")
        }
        let name = holder.map { " (\($0.prefix { $0 != "\n" }))" } ?? ""
        throw TrainingError(
            .cannotCreate,
            "\(directory): another process is training in it\(name); wait for it, or name another directory")
    }

    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&name, name.count - 1) == 0 else { return "unknown host" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
