#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Image {
    /// The content of an image file; of a file that is no PNG or JPEG only the beginning, which tells what it is.
    package static func bytes(ofFile path: String) throws(ImageError) -> [UInt8] { try readImageFile(path) }

    /// The same of what an open file or pipe still holds.
    package static func bytes(ofDescriptor descriptor: Int32) throws(ImageError) -> [UInt8] {
        try readImageFile(descriptor: descriptor)
    }
}

/// The content of an image file; of a file that is no PNG or JPEG only the beginning, which tells what it is.
func readImageFile(_ path: String) throws(ImageError) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadableFile(errno: errno) }
    defer { close(descriptor) }
    return try readImageFile(descriptor: descriptor)
}

/// The same from an open file, or from a pipe, which is read to its end.
func readImageFile(descriptor: Int32) throws(ImageError) -> [UInt8] {
    let start = try readBytes(descriptor, after: [], upTo: ImageFormat.prefixCount)
    switch ImageFormat(of: start) {
    case .png, .jpeg: break
    case .other, .unknown: return start
    }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadableFile(errno: errno) }
    // One byte more than the file has: the read that comes back short has seen its end. A pipe has no size.
    var bytes = try readBytes(descriptor, after: start, upTo: max(start.count, Int(status.st_size)) + 1)
    var limit = max(start.count, Int(status.st_size)) + 1
    while bytes.count == limit {
        limit = limit * 2 + 65_536
        bytes = try readBytes(descriptor, after: bytes, upTo: limit)
    }
    return bytes
}

/// `start` and what the file has to offer behind it, `count` bytes together; fewer only at the end of the file.
private func readBytes(_ descriptor: Int32, after start: [UInt8], upTo count: Int) throws(ImageError) -> [UInt8] {
    var failure: Int32?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        guard let address = buffer.baseAddress else { return }
        _ = unsafe buffer.update(fromContentsOf: start)
        initialized = start.count
        while initialized < count {
            let result = unsafe read(descriptor, address + initialized, count - initialized)
            if result < 0 && errno == EINTR { continue }
            if result < 0 { failure = errno }
            if result <= 0 { break }
            initialized += result
        }
    }
    if let failure { throw .unreadableFile(errno: failure) }
    return bytes
}
