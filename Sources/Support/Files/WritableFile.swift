import LibC

/// A file that is open for writing.
struct WritableFile: ~Copyable {
    let descriptor: Int32

    /// Opens a file, which need not exist; where `truncates`, it loses what it holds.
    init(_ path: String, truncates: Bool) throws(SystemError) {
        descriptor = unsafe open(
            Files.systemPath(path), O_RDWR | O_CREAT | O_CLOEXEC | (truncates ? O_TRUNC : 0), 0o666)
        guard descriptor >= 0 else { throw .last }
    }

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

    /// Waits until what was written is on the disk; does nothing where the file is not on one.
    func synchronize() throws(SystemError) {
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw .last }
    }
}
