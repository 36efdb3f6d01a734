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

    /// Allocates `byteCount` zeroed bytes, aligned for the widest vector unit and for a cache line.
    public init(byteCount: Int) {
        precondition(byteCount >= 0, "Storage: expected a size of 0 or more bytes, got \(byteCount)")
        let rounded = max(64, (byteCount + 63) / 64 * 64)
        unsafe address = UnsafeMutableRawPointer.allocate(byteCount: rounded, alignment: 64)
        unsafe memset(address, 0, rounded)
        self.byteCount = byteCount
        owner = nil
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
