import CImageCodecs
import Compute

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file that is written beside its place and takes it when it is whole; abandoned, it leaves nothing.
final class OutputFile {
    private let path: String
    private let partialPath: String
    private let descriptor: Int32
    private var isOpen = true
    private var buffer: [UInt8] = []
    /// The bytes written so far.
    private(set) var position = 0
    /// How much of that is in the file.
    private var flushed = 0
    private var checksum: UInt32 = 0

    private static let bufferSize = 1 << 20

    init(_ path: String) throws(CheckpointError) {
        self.path = path
        partialPath = "\(path).partial-\(getpid())"
        descriptor = unsafe open(partialPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Self.failure(path, "cannot be created", .cannotCreate) }
    }

    deinit {
        guard isOpen else { return }
        close(descriptor)
        unsafe _ = unlink(partialPath)
    }

    func append(_ bytes: [UInt8]) throws(CheckpointError) {
        buffer += bytes
        position += bytes.count
        if buffer.count >= Self.bufferSize { try flush() }
    }

    /// Writes the numbers of a tensor, rounded to the nearest (ties to even) where 16 bits are asked for.
    func append(_ tensor: Tensor, as type: ElementType) throws(CheckpointError) {
        guard type == .float16 else {
            try flush()
            let bytes = unsafe UnsafeRawBufferPointer(start: tensor.pointer, count: tensor.count * 4)
            unsafe try put(bytes)
            position += bytes.count
            return
        }
        for start in stride(from: 0, to: tensor.count, by: Self.bufferSize / 2) {
            let count = min(Self.bufferSize / 2, tensor.count - start)
            let halves = unsafe [UInt16](unsafeUninitializedCapacity: count) { halves, initialized in
                for index in 0..<count {
                    unsafe halves.initializeElement(
                        at: index, to: Float16(tensor.pointer[start + index]).bitPattern.littleEndian)
                }
                initialized = count
            }
            try append(unsafe halves.withUnsafeBytes { unsafe Array($0) })
        }
    }

    /// The CRC-32 of what `write` appends.
    func checksum(
        of write: (OutputFile) throws(CheckpointError) -> Void
    ) throws(CheckpointError) -> UInt32 {
        try flush()
        checksum = 0
        try write(self)
        try flush()
        return checksum
    }

    /// Overwrites bytes that were already written.
    func patch(_ bytes: [UInt8], at offset: Int) throws(CheckpointError) {
        try flush()
        guard unsafe pwrite(descriptor, bytes, bytes.count, offset) == bytes.count else {
            throw Self.failure(path, "cannot be written", .inputOutput)
        }
    }

    /// Makes sure that the bytes are on the disk and gives the file its name.
    func commit() throws(CheckpointError) {
        try flush()
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw Self.failure(path, "cannot be written", .inputOutput)
        }
        isOpen = false
        guard close(descriptor) == 0, unsafe rename(partialPath, path) == 0 else {
            let error = Self.failure(path, "cannot be put in its place", .cannotCreate)
            unsafe _ = unlink(partialPath)
            throw error
        }
    }

    private func flush() throws(CheckpointError) {
        let bytes = buffer
        buffer.removeAll(keepingCapacity: true)
        unsafe try bytes.span.bytes.withUnsafeBytes { (bytes) throws(CheckpointError) in unsafe try put(bytes) }
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
        guard let base = bytes.baseAddress else { return }
        checksum = unsafe codecs_crc32_update(checksum, base.assumingMemoryBound(to: UInt8.self), bytes.count)
        var written = 0
        while written < bytes.count {
            let count = unsafe pwrite(descriptor, base + written, bytes.count - written, flushed + written)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure(path, "cannot be written", .inputOutput) }
            written += count
        }
        flushed += written
    }

    private static func failure(_ path: String, _ what: String, _ kind: CheckpointError.Kind) -> CheckpointError {
        let code = errno
        return CheckpointError(kind, path, "\(what): \(unsafe strerror(code).map { unsafe String(cString: $0) } ?? "")")
    }
}

extension Files {
    /// Writes a whole file, beside its place first.
    package static func write(_ text: String, to path: String) throws(CheckpointError) {
        let file = try OutputFile(path)
        try file.append(Array(text.utf8))
        try file.commit()
    }

    /// Makes a directory, and those that it lies in.
    package static func makeDirectory(_ path: String) throws(CheckpointError) {
        switch sort(path) {
        case .directory: return
        case .file: throw CheckpointError(.cannotCreate, path, "is a file; a directory was expected")
        case .missing: break
        }
        let parent = directory(of: path.hasSuffix("/") ? String(path.dropLast()) : path)
        if !parent.isEmpty { try makeDirectory(parent) }
        guard unsafe mkdir(path, 0o777) == 0 || errno == EEXIST else {
            let code = errno
            throw CheckpointError(
                .cannotCreate, path, "cannot be made: \(unsafe strerror(code).map { unsafe String(cString: $0) } ?? "")"
            )
        }
    }
}
