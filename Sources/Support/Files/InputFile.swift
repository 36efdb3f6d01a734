import LibC

/// An open file or pipe, read from where it stands.
package struct InputFile: ~Copyable {
    private let descriptor: Int32
    private let isOwned: Bool

    /// Opens a file.
    package init(_ path: String) throws(SystemError) {
        descriptor = unsafe open(Files.systemPath(path), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last }
        isOwned = true
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

    /// `start` and everything that follows it.
    package func readToEnd(after start: [UInt8] = []) throws(SystemError) -> [UInt8] {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .last }
        // One byte more than the file has: the read that comes back short has seen its end. A pipe has no size.
        var limit = max(start.count, Int(status.st_size)) + 1
        var bytes = try read(after: start, upTo: limit)
        while bytes.count == limit {
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
