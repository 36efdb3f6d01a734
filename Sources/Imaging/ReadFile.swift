#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The content of an image file; of a file that is no PNG or JPEG only the beginning, which tells what it is.
func readImageFile(_ path: String) throws(ImageError) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadableFile(errno: errno) }
    defer { close(descriptor) }
    return try readImageFile(descriptor: descriptor)
}

/// The same from an open file, or from a pipe, which is read to its end.
func readImageFile(descriptor: Int32) throws(ImageError) -> [UInt8] {
    let start = try readBytes(descriptor, count: ImageFormat.prefixCount)
    switch ImageFormat(of: start) {
    case .png, .jpeg: break
    case .other, .unknown: return start
    }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadableFile(errno: errno) }
    var bytes = start
    let expected = Int(status.st_size) - start.count
    bytes.reserveCapacity(start.count + max(0, expected))
    while true {
        // One byte more than is expected: the read that finds the end is the one that would find more.
        let missing = start.count + expected - bytes.count
        let part = try readBytes(descriptor, count: max(missing, 0) + 1)
        if part.isEmpty { return bytes }
        bytes += part
    }
}

/// Up to `count` bytes; fewer only at the end.
private func readBytes(_ descriptor: Int32, count: Int) throws(ImageError) -> [UInt8] {
    var failure: Int32?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        guard let address = buffer.baseAddress else { return }
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
