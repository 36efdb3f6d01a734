/// A range of bytes in memory or in a mapped file; every access is checked against its end.
package struct Bytes: Sendable {
    package let memory: Memory
    /// Where the range starts in the memory.
    package let start: Int
    package let count: Int

    /// All bytes of a block of memory.
    package init(_ memory: Memory) {
        self.init(memory: memory, start: 0, count: memory.byteCount)
    }

    private init(memory: Memory, start: Int, count: Int) {
        self.memory = memory
        self.start = start
        self.count = count
    }

    /// The address of the first byte; valid while the memory lives.
    package var address: UnsafeMutableRawPointer { unsafe memory.address + start }

    /// `length` bytes from `offset` on, or nil where they do not all lie inside.
    package func slice(_ offset: Int, _ length: Int) -> Bytes? {
        guard offset >= 0, length >= 0, offset <= count, length <= count - offset else { return nil }
        return Bytes(memory: memory, start: start + offset, count: length)
    }

    /// The little-endian integer at `offset`, or nil where it does not lie inside.
    package func integer<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type = T.self, at offset: Int) -> T? {
        guard let slice = slice(offset, MemoryLayout<T>.size) else { return nil }
        return T(littleEndian: unsafe slice.address.loadUnaligned(as: T.self))
    }

    /// The bytes, copied.
    package var array: [UInt8] {
        unsafe Array(UnsafeRawBufferPointer(start: address, count: count))
    }

    /// The bytes as text, or nil where they are not UTF-8.
    package var text: String? {
        String(validating: array, as: UTF8.self)
    }

    /// Whether the range begins with `prefix`.
    package func starts(with prefix: [UInt8]) -> Bool {
        slice(0, prefix.count)?.array == prefix
    }

    /// Gives the memory of unchanged bytes of a file back; a later access reads the file again.
    package func releasePages() { memory.release(start..<start + count) }
}

/// The bytes of a number, the lowest first.
package func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}
