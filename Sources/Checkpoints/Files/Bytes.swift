import Compute

/// A range of bytes in memory or in a mapped file; every access is checked against its end.
struct Bytes: Sendable {
    let storage: Storage
    /// Where the range starts in the storage.
    let start: Int
    let count: Int

    init(storage: Storage) {
        self.init(storage: storage, start: 0, count: storage.byteCount)
    }

    private init(storage: Storage, start: Int, count: Int) {
        self.storage = storage
        self.start = start
        self.count = count
    }

    /// The address of the first byte; valid while the storage lives.
    var address: UnsafeMutableRawPointer { unsafe storage.address + start }

    /// `length` bytes from `offset` on, or nil where these do not all lie inside.
    func slice(_ offset: Int, _ length: Int) -> Bytes? {
        guard offset >= 0, length >= 0, offset <= count, length <= count - offset else { return nil }
        return Bytes(storage: storage, start: start + offset, count: length)
    }

    /// The little-endian integer at `offset`, or nil where it does not lie inside.
    func integer<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type = T.self, at offset: Int) -> T? {
        guard let slice = slice(offset, MemoryLayout<T>.size) else { return nil }
        return T(littleEndian: unsafe slice.address.loadUnaligned(as: T.self))
    }

    /// The bytes, copied.
    var array: [UInt8] {
        unsafe Array(UnsafeRawBufferPointer(start: address, count: count))
    }

    /// The bytes as text, or nil where these are not UTF-8.
    var text: String? {
        String(validating: array, as: UTF8.self)
    }

    /// Whether the range begins with `prefix`.
    func starts(with prefix: [UInt8]) -> Bool {
        slice(0, prefix.count)?.array == prefix
    }
}
