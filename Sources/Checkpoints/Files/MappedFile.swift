import Compute

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file mapped into memory: read on first touch, private to this process, unmapped with its last tensor.
struct MappedFile: Sendable {
    let path: String
    let bytes: Bytes

    /// Maps the whole of `path`.
    init(_ path: String) throws(CheckpointError) {
        self.path = path
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(path, "cannot be opened") }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw Self.failure(path, "cannot be examined") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw CheckpointError(.malformed, path, "is not a regular file; a checkpoint has to be one to be mapped")
        }
        guard status.st_size > 0 else {
            throw .malformed(path, "is empty; a checkpoint was expected")
        }
        let size = Int(status.st_size)
        // Private and writable: a trainer may change weights in place without the file ever seeing it.
        let address = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            throw Self.failure(path, "cannot be mapped into memory")
        }
        let mapping = unsafe Mapping(address: address, count: size)
        bytes = Bytes(storage: unsafe Storage(borrowing: address, byteCount: size, owner: mapping))
    }

    private static func failure(_ path: String, _ what: String) -> CheckpointError {
        let code = errno
        let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        return CheckpointError(code == ENOENT || code == ENOTDIR ? .missing : .inputOutput, path, "\(what): \(reason)")
    }
}

/// Unmaps its range when the last storage that borrows from it goes.
@safe private final class Mapping {
    private let address: UnsafeMutableRawPointer
    private let count: Int

    init(address: UnsafeMutableRawPointer, count: Int) {
        unsafe self.address = unsafe address
        self.count = count
    }

    deinit { unsafe munmap(address, count) }
}

extension Bytes {
    /// Gives the memory of a mapped range back; a later access reads the file again.
    ///
    /// Only for unchanged ranges of a mapped file. Pages that reach beyond the range stay.
    func releasePages() {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        guard page > 0 else { return }
        let first = (Int(bitPattern: unsafe address) + page - 1) / page * page
        let last = (Int(bitPattern: unsafe address) + count) / page * page
        guard last > first, let start = unsafe UnsafeMutableRawPointer(bitPattern: first) else { return }
        unsafe _ = madvise(start, last - first, MADV_DONTNEED)
    }
}
