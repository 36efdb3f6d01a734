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

    /// From this size on, zeroing by hand would cost more than a call to the system.
    private static let mappedSize = 1 << 20

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

    /// A large block straight from the system, which zeroes a page when it is first touched. Large pages are not asked
    /// for: where memory is in small pieces, finding them takes longer than they save.
    private static func map(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        guard byteCount >= mappedSize else { return nil }
        let address = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        return unsafe address == MAP_FAILED ? nil : address
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
