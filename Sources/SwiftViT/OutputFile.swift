#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Why a result could not be written: one sentence with the file.
public struct OutputError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Whether the output could not even be made (sysexits: 73), as opposed to failing midway (74).
    public let isCreation: Bool
    /// The file, what is wrong, and the system's reason.
    public let description: String

    /// `clause` about `path`, with the system's reason for its last failure.
    package static func last(_ path: String, _ clause: String, isCreation: Bool = false) -> OutputError {
        let reason = unsafe String(cString: strerror(errno))
        return OutputError(isCreation: isCreation, description: "\(path): \(clause): \(reason)")
    }

    package static func cannotCreate(_ path: String, _ clause: String) -> OutputError {
        OutputError(isCreation: true, description: "\(path): \(clause)")
    }
}

/// A file that appears under its name when it is whole, and not before.
///
/// It is written beside its place and renamed by `commit`. Dropped before that, it leaves nothing behind.
package final class OutputFile {
    private let path: String
    private let unfinishedPath: String
    private let unfinished: UnfinishedFiles
    private let descriptor: Int32
    private var isOpen = true

    /// Starts a file that will be called `path`.
    package init(_ path: String, unfinished: UnfinishedFiles) throws(OutputError) {
        self.path = path
        self.unfinished = unfinished
        try Self.checkPlace(path)
        let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        unfinishedPath = "\(path[..<slash]).\(path[slash...]).\(getpid()).partial"
        unfinished.insert(unfinishedPath)
        descriptor = unsafe open(unfinishedPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            let error = OutputError.last(path, "cannot be created", isCreation: true)
            unfinished.remove(unfinishedPath)
            throw error
        }
    }

    /// Refuses a path under which there is something that no file can replace.
    package static func checkPlace(_ path: String) throws(OutputError) {
        var status = stat()
        if unsafe stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw .cannotCreate(path, "is no regular file; name a new file, or one to replace")
        }
    }

    /// Writes to the end.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(OutputError) {
        var rest = unsafe bytes[...]
        while unsafe !rest.isEmpty {
            let piece = unsafe UnsafeRawBufferPointer(rebasing: rest)
            let count = unsafe write(descriptor, piece.baseAddress, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .last(path, "cannot be written") }
            unsafe rest = rest.dropFirst(count)
        }
    }

    /// Writes a whole file.
    package static func create(
        _ path: String, with bytes: [UInt8], unfinished: UnfinishedFiles
    ) throws(OutputError) {
        let file = try OutputFile(path, unfinished: unfinished)
        let result = unsafe bytes.withUnsafeBytes { bytes in
            Result { () throws(OutputError) in unsafe try file.append(bytes) }
        }
        try result.get()
        try file.commit()
    }

    /// Writes bytes over the beginning.
    package func overwriteStart(_ bytes: [UInt8]) throws(OutputError) {
        let count = unsafe bytes.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        guard count == bytes.count else { throw .last(path, "cannot be written") }
    }

    /// Puts the file in its place.
    package func commit() throws(OutputError) {
        isOpen = false
        guard close(descriptor) == 0, unsafe rename(unfinishedPath, path) == 0 else {
            let error = OutputError.last(path, "cannot be written")
            unfinished.delete(unfinishedPath)
            throw error
        }
        unfinished.remove(unfinishedPath)
    }

    deinit {
        guard isOpen else { return }
        close(descriptor)
        unfinished.delete(unfinishedPath)
    }
}
