import Support

/// A block of memory that tensors look into: owned and 64-byte aligned, or a mapped file's.
///
/// The block never moves and lives as long as any tensor that refers to it. Who writes to it makes sure that nobody
/// else does at the same time; the worker threads do so by working on disjoint ranges.
@safe public final class Storage: @unchecked Sendable {
    package let address: UnsafeMutableRawPointer
    /// The size of the block in bytes.
    public let byteCount: Int
    private let memory: Memory

    /// Allocates `byteCount` zeroed bytes, aligned for the widest vector unit and for a cache line.
    public convenience init(byteCount: Int) { self.init(Memory(byteCount: byteCount)) }

    /// Looks into memory that exists already, which must allow writing where the tensors are written to.
    package init(_ memory: Memory) {
        self.memory = memory
        unsafe address = memory.address
        byteCount = memory.byteCount
    }
}
