#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A block of memory that tensors look into: owned and 64-byte aligned, or borrowed from a mapped file.
///
/// The block never moves and lives as long as any tensor that refers to it. Who writes to it makes sure that nobody
/// else does at the same time; the worker threads do so by working on disjoint ranges.
@safe public final class Storage: @unchecked Sendable {
    package let address: UnsafeMutableRawPointer
    /// The size of the block in bytes.
    public let byteCount: Int
    private let owner: AnyObject?

    /// The size of the pages that the system is asked for where much memory is needed.
    private static let largePage = 2 << 20

    /// Allocates `byteCount` zeroed bytes, aligned for the widest vector unit and for a cache line.
    public init(byteCount: Int) {
        precondition(byteCount >= 0, "Storage: expected a size of 0 or more bytes, got \(byteCount)")
        self.byteCount = byteCount
        if let mapped = unsafe Self.map(byteCount) {
            unsafe address = mapped
            owner = unsafe Mapping(address: mapped, byteCount: byteCount)
            return
        }
        let rounded = max(64, (byteCount + 63) / 64 * 64)
        unsafe address = UnsafeMutableRawPointer.allocate(byteCount: rounded, alignment: 64)
        unsafe memset(address, 0, rounded)
        owner = nil
    }

    /// A large block straight from the system: zeroed when it is first touched, in few large pages where it allows that.
    private static func map(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        guard byteCount >= largePage else { return nil }
        // One page more than needed, so that the block can start at the border of one.
        let whole = unsafe mmap(
            nil, byteCount + largePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let whole = unsafe whole, unsafe whole != MAP_FAILED else { return nil }
        let start = unsafe whole.alignedUp(toMultipleOf: largePage)
        let before = unsafe start - whole
        let page = Int(getpagesize())
        let end = unsafe (start + byteCount).alignedUp(toMultipleOf: page)
        if before > 0 { unsafe munmap(whole, before) }
        unsafe munmap(end, whole + byteCount + largePage - end)
        unsafe madvise(start, byteCount, Int32(MADV_HUGEPAGE))
        return unsafe start
    }

    /// Borrows memory that `owner` keeps valid (a mapped file, say); it is released with the storage.
    package init(borrowing address: UnsafeMutableRawPointer, byteCount: Int, owner: AnyObject) {
        unsafe self.address = unsafe address
        self.byteCount = byteCount
        self.owner = owner
    }

    deinit {
        if owner == nil { unsafe address.deallocate() }
    }
}

/// Memory straight from the system, given back when the last storage that uses it goes.
@safe private final class Mapping {
    private let address: UnsafeMutableRawPointer
    private let byteCount: Int

    init(address: UnsafeMutableRawPointer, byteCount: Int) {
        unsafe self.address = unsafe address
        self.byteCount = byteCount
    }

    deinit { unsafe munmap(address, byteCount) }
}
