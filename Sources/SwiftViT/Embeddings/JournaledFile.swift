#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file that is added to and synchronised with the disk, and stays where it is when the process ends.
final class JournaledFile {
    /// What error messages call it.
    private let name: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    /// Where the buffer goes.
    private var offset = 0

    private static let largeBuffer = 1 << 20

    /// Opens the file, which need not exist; `truncate` says where writing begins. `name` is the output that it will be
    /// part of.
    init(_ path: String, of name: String) throws(OutputError) {
        self.name = name
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .last(name, "cannot be created", isCreation: true) }
    }

    deinit {
        // Closing does not unlock while a process that was just started still has a copy of the descriptor.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Keeps other processes from locking it while this one lives; false where one already does.
    func lock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

    func byteCount() throws(OutputError) -> Int {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .last(name, "cannot be examined") }
        return Int(status.st_size)
    }

    /// Cuts the file off; what is taken from now on goes behind that.
    func truncate(to length: Int) throws(OutputError) {
        guard ftruncate(descriptor, length) == 0 else { throw .last(name, "cannot be written") }
        offset = length
    }

    /// Takes bytes to write later.
    func append(_ bytes: [UInt8]) { buffer += bytes }

    func writeIfLarge() throws(OutputError) {
        if buffer.count >= Self.largeBuffer { try write() }
    }

    /// Writes what was taken.
    func write() throws(OutputError) {
        let isWritten = unsafe buffer.withUnsafeBytes { bytes in
            var rest = unsafe bytes[...]
            while unsafe !rest.isEmpty {
                let piece = unsafe UnsafeRawBufferPointer(rebasing: rest)
                let count = unsafe pwrite(descriptor, piece.baseAddress, piece.count, offset)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                offset += count
                unsafe rest = rest.dropFirst(count)
            }
            return true
        }
        guard isWritten else { throw .last(name, "cannot be written") }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Waits until what was written is on the disk.
    func synchronize() throws(OutputError) {
        guard fdatasync(descriptor) == 0 || errno == EINVAL else { throw .last(name, "cannot be written") }
    }

    /// Writes bytes over the beginning.
    func overwriteStart(_ bytes: [UInt8]) throws(OutputError) {
        guard unsafe pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else {
            throw .last(name, "cannot be written")
        }
    }

    /// The whole lines that the file holds, without their ends; read piece by piece.
    func lines() -> AnySequence<String> {
        let descriptor = descriptor
        return AnySequence { () -> AnyIterator<String> in
            var (offset, rest, piece) = (0, [UInt8]()[...], [UInt8](repeating: 0, count: 1 << 16))
            return AnyIterator {
                while true {
                    if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                        defer { rest = rest[(end + 1)...] }
                        return String(decoding: rest[..<end], as: UTF8.self)
                    }
                    let count = unsafe piece.withUnsafeMutableBytes {
                        unsafe pread(descriptor, $0.baseAddress, $0.count, offset)
                    }
                    if count <= 0 { return nil }
                    offset += count
                    rest = rest + piece[..<count]
                }
            }
        }
    }
}
