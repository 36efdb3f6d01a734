import LibC

/// An open file or pipe, read from where it stands.
package struct InputFile: ~Copyable, Sendable {
    private let descriptor: Int32
    private let isOwned: Bool

    /// From this size on, a file is not read.
    private static let fileLimit = 16 << 30
    /// From this length on, something without a size is not read, since it may have no end.
    private static let streamLimit = 1 << 30

    /// Opens a regular file or a pipe; devices may have no end, or wait for somebody to type.
    package init(_ path: String) throws(SystemError) {
        descriptor = try Self.open(path)
        isOwned = true
    }

    private static func open(_ path: String) throws(SystemError) -> Int32 {
        let descriptor = systemOpen(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last }
        do throws(SystemError) {
            switch try status(descriptor).st_mode & S_IFMT {
            case S_IFREG, S_IFIFO: return descriptor
            case S_IFDIR: throw SystemError(code: EISDIR)
            default: throw .isNoFile
            }
        } catch {
            close(descriptor)
            throw error
        }
    }

    private static func status(_ descriptor: Int32) throws(SystemError) -> stat {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .last }
        return status
    }

    /// Reads what is open already, and leaves it open.
    package init(descriptor: Int32) {
        self.descriptor = descriptor
        isOwned = false
    }

    /// What standard input still holds.
    package static var standardInput: InputFile { InputFile(descriptor: 0) }

    deinit {
        if isOwned { close(descriptor) }
    }

    /// Whether it is a file with a size, not a pipe.
    package var isRegular: Bool { (try? Self.status(descriptor).st_mode & S_IFMT == S_IFREG) ?? false }

    /// The size of a regular file; 0 for a pipe.
    package var byteCount: Int { (try? Self.status(descriptor)).map { Int($0.st_size) } ?? 0 }

    /// Its status.
    package func status() throws(SystemError) -> Files.Status { Files.Status(try Self.status(descriptor)) }

    /// `count` bytes of a regular file from `offset` on, wherever it stands; fewer only at its end. Any thread may call it.
    package func read(_ count: Int, at offset: Int) throws(SystemError) -> [UInt8] {
        // An array made with room for nothing writes to the one empty array that all threads share.
        if count == 0 { return [] }
        var failure: SystemError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            guard let address = buffer.baseAddress else { return }
            while initialized < count {
                let step = unsafe pread(
                    descriptor, address + initialized, count - initialized, offset + initialized)
                if step < 0 && errno == EINTR { continue }
                if step < 0 { failure = .last }
                if step <= 0 { break }
                initialized += step
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// The bytes that follow behind `start`, up to `limit` bytes together; fewer only at the end of the file.
    package func read(after start: [UInt8] = [], upTo limit: Int) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, initialized in
            guard let address = buffer.baseAddress else { return }
            _ = unsafe buffer.update(fromContentsOf: start)
            initialized = start.count
            while initialized < limit {
                let count = unsafe systemRead(descriptor, address + initialized, limit - initialized)
                if count < 0 && errno == EINTR { continue }
                if count < 0 { failure = .last }
                if count <= 0 { break }
                initialized += count
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// `start` and everything that follows it; the error is EFBIG where that is more than any file should have.
    package func readToEnd(after start: [UInt8] = []) throws(SystemError) -> [UInt8] {
        let size = Int(try Self.status(descriptor).st_size)
        guard size <= Self.fileLimit else { throw SystemError(code: EFBIG) }
        // One byte more than the file has: the read that comes back short has seen its end. A pipe has no size.
        var limit = max(start.count, size) + 1
        var bytes = try read(after: start, upTo: limit)
        while bytes.count == limit {
            guard limit < Self.streamLimit else { throw SystemError(code: EFBIG) }
            limit = limit * 2 + 65_536
            bytes = try read(after: bytes, upTo: limit)
        }
        return bytes
    }
}

/// The system's `read`, which the method of that name hides.
@unsafe private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
    unsafe read(descriptor, bytes, count)
}

/// The system's `open`, which the method of that name hides.
private func systemOpen(_ path: String, _ flags: Int32) -> Int32 { unsafe open(Files.systemPath(path), flags) }
