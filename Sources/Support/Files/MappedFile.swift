import LibC

/// A file that is read where it lies: pages come into memory as they are touched.
package struct MappedFile: Sendable {
    package let path: String
    /// The whole content; the mapping lives as long as any part of it is held.
    package let bytes: Bytes

    /// Maps the whole of `path`; `expected` says what it should be.
    ///
    /// - Parameter isWritable: whether the bytes may be changed in memory; the file never sees that.
    package init(_ path: String, expected: String, isWritable: Bool = false) throws(FileError) {
        self.path = path
        let descriptor = unsafe open(Files.systemPath(path), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(opening: path, expected: expected, .last) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw FileError(opening: path, expected: expected, .last) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FileError(opening: path, expected: expected, .isNoFile)
        }
        guard status.st_size > 0 else { throw .malformed(path, "is empty; expected \(expected)") }
        do throws(SystemError) {
            bytes = Bytes(
                try Memory(mapping: descriptor, byteCount: Int(status.st_size), isWritable: isWritable))
        } catch {
            throw FileError(.inputOutput, path, "cannot be mapped into memory", error)
        }
    }
}
