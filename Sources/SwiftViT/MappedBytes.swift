import Datasets

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file that is read where it lies: pages come into memory as they are touched, and go again where `release` says so.
@safe final class MappedBytes: @unchecked Sendable {
    let count: Int
    private let address: UnsafeMutableRawPointer

    /// Maps the whole of `path`; `expected` says what it should be.
    init(_ path: String, expected: String) throws(InputError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unopened(path, expected: expected) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .malformed(path, "is not a regular file; expected \(expected)")
        }
        count = Int(status.st_size)
        guard count > 0 else { throw .malformed(path, "is empty; expected \(expected)") }
        let mapped = unsafe mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
            throw .unopened(path, expected: expected)
        }
        unsafe address = mapped
    }

    deinit { unsafe munmap(address, count) }

    /// Where the bytes are; valid while this object lives.
    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: address, count: count) }

    /// Gives the memory of a range back; a later access reads the file again.
    func release(_ range: Range<Int>) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let first = (range.lowerBound + page - 1) / page * page
        let last = range.upperBound == count ? count : range.upperBound / page * page
        if last > first { unsafe _ = madvise(address + first, last - first, MADV_DONTNEED) }
    }
}
