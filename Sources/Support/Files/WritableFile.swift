import LibC

/// A file that is open for writing.
struct WritableFile: ~Copyable {
    let descriptor: Int32

    /// Opens a file, which need not exist.
    init(_ path: String) throws(SystemError) {
        descriptor = unsafe open(Files.systemPath(path), O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .last }
    }

    /// Takes a file that is open.
    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Writes all of `bytes` at `offset`.
    func write(_ bytes: RawSpan, at offset: Int) throws(SystemError) {
        try unsafe bytes.withUnsafeBytes { (bytes) throws(SystemError) in
            guard let base = bytes.baseAddress else { return }
            var written = 0
            while written < bytes.count {
                let count = unsafe pwrite(descriptor, base + written, bytes.count - written, offset + written)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw .last }
                written += count
            }
        }
    }

    /// Waits until what was written is on the disk.
    func synchronize() throws(SystemError) { try Files.synchronize(descriptor: descriptor) }
}
