import LibC

/// A block of memory that never moves: zeroed and 64-byte aligned, or the content of a file.
///
/// Who writes to it makes sure that nobody else uses the same bytes at the same time.
@safe package final class Memory: @unchecked Sendable {
    /// The first byte; valid while this object lives.
    package let address: UnsafeMutableRawPointer
    /// The size in bytes.
    package let byteCount: Int
    private let source: Source

    private enum Source { case heap, system, file }

    /// From this size on, zeroing by hand would cost more than a call to the system.
    private static let mappedSize = 1 << 20

    /// Allocates `byteCount` zeroed bytes, aligned for the widest vector unit and for a cache line.
    package init(byteCount: Int) {
        precondition(byteCount >= 0, "Memory: expected a size of 0 or more bytes, got \(byteCount)")
        self.byteCount = byteCount
        // A large block straight from the system, which zeroes a page when it is first touched. Large pages are not
        // asked for: where memory is in small pieces, finding them takes longer than they save.
        if byteCount >= Self.mappedSize, let mapped = unsafe Self.map(byteCount, PROT_READ | PROT_WRITE, MAP_ANONYMOUS)
        {
            unsafe address = mapped
            source = .system
            return
        }
        let rounded = max(64, (byteCount + 63) / 64 * 64)
        unsafe address = UnsafeMutableRawPointer.allocate(byteCount: rounded, alignment: 64)
        unsafe memset(address, 0, rounded)
        source = .heap
    }

    /// Maps the first `byteCount` bytes of an open file, 1 or more. Where `isWritable`, changes stay in this process.
    init(mapping descriptor: Int32, byteCount: Int, isWritable: Bool) throws(SystemError) {
        let protection = isWritable ? PROT_READ | PROT_WRITE : PROT_READ
        guard let mapped = unsafe Self.map(byteCount, protection, 0, descriptor) else { throw .last }
        unsafe address = mapped
        self.byteCount = byteCount
        source = .file
    }

    private static func map(
        _ byteCount: Int, _ protection: Int32, _ flags: Int32, _ descriptor: Int32 = -1
    ) -> UnsafeMutableRawPointer? {
        let address = unsafe mmap(nil, byteCount, protection, MAP_PRIVATE | flags, descriptor, 0)
        return unsafe address == MAP_FAILED ? nil : address
    }

    deinit {
        if source == .heap { unsafe address.deallocate() } else { unsafe _ = munmap(address, byteCount) }
    }

    /// Gives the memory of unchanged bytes of a file back; a later access reads the file again.
    ///
    /// Pages that reach beyond the range stay. Does nothing to memory that is not a file's.
    func release(_ range: Range<Int>) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        guard source == .file, page > 0 else { return }
        let first = (range.lowerBound + page - 1) / page * page
        let last = range.upperBound == byteCount ? byteCount : range.upperBound / page * page
        if last > first { unsafe _ = madvise(address + first, last - first, MADV_DONTNEED) }
    }
}
