import LibC

/// Keeps other processes from taking the same file or directory while this one holds it.
package final class FileLock {
    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    /// Takes what exists at `path`; nil where another process holds it.
    package static func take(_ path: String) throws(SystemError) -> FileLock? {
        // NFS gives locks only on what is open for writing.
        var descriptor = unsafe open(Files.systemPath(path), O_RDWR | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0, [EISDIR, EACCES, EPERM, EROFS, ETXTBSY, ENXIO].contains(errno) {
            descriptor = unsafe open(Files.systemPath(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        }
        return try lock(descriptor)
    }

    /// Takes a file, which is created if it is missing; nil where another process holds it.
    package static func takeFile(_ path: String) throws(SystemError) -> FileLock? {
        try lock(unsafe open(Files.systemPath(path), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o666))
    }

    private static func lock(_ descriptor: Int32) throws(SystemError) -> FileLock? {
        guard descriptor >= 0 else { throw .last }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let error = SystemError.last
            close(descriptor)
            if error.code == EWOULDBLOCK { return nil }
            throw error
        }
        return FileLock(descriptor: descriptor)
    }

    /// Overwrites the locked file; `name` is its name in errors.
    package func write(_ text: String, as name: String) throws(FileError) {
        let bytes = Array(text.utf8)
        let written = unsafe pwrite(descriptor, bytes, bytes.count, 0)
        guard written == bytes.count, ftruncate(descriptor, bytes.count) == 0 else {
            throw FileError(.inputOutput, name, "cannot be written", .last)
        }
    }

    /// Whether what is locked still has the name `path`: another one may have it, or nothing.
    package func holds(_ path: String) throws(FileError) -> Bool {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw FileError(.inputOutput, path, "cannot be examined", .last)
        }
        return try Files.statusIfAny(path)?.identity == Files.Status(status).identity
    }

    /// Makes a file for the lock where there is none, and waits until no other process holds it.
    ///
    /// - Parameter onWait: called where it has to be waited for.
    /// - Returns: nil where the file system has no locks.
    package static func wait(_ path: String, onWait: () -> Void) throws(SystemError) -> FileLock? {
        while true {
            // For whoever shares the group, too: the lock may lie in a cache of several users.
            let descriptor = unsafe open(Files.systemPath(path), O_RDWR | O_CREAT | O_CLOEXEC, 0o664)
            guard descriptor >= 0 else { throw .last }
            if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
                if errno == EWOULDBLOCK { onWait() }
                while flock(descriptor, LOCK_EX) != 0 {
                    if errno == EINTR { continue }
                    close(descriptor)
                    return nil
                }
            }
            var status = stat()
            if unsafe fstat(descriptor, &status) != 0 || status.st_nlink > 0 { return FileLock(descriptor: descriptor) }
            // Before it was locked, its last holder removed it.
            close(descriptor)
        }
    }

    deinit {
        // Closing does not unlock while a process that was just started still has a copy of the descriptor.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
