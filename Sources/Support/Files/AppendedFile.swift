import LibC

/// A file that grows where it is, and stays when the process ends.
package final class AppendedFile {
    /// The path in error messages.
    private let name: String
    private let file: WritableFile
    private var buffer: [UInt8] = []
    /// Where the buffer goes.
    private var offset = 0

    private static let largeBuffer = 1 << 20

    /// Opens a file, which need not exist; `truncate` says where writing begins. Errors are about `name`, the output
    /// that the file will be part of.
    package init(_ path: String, of name: String) throws(FileError) {
        self.name = name
        do throws(SystemError) {
            file = try WritableFile(path)
        } catch {
            throw FileError(.cannotCreate, name, "cannot be created", error)
        }
    }

    /// The bytes that are in the file.
    package func byteCount() throws(FileError) -> Int {
        var status = stat()
        guard unsafe fstat(file.descriptor, &status) == 0 else {
            throw FileError(.inputOutput, name, "cannot be examined", .last)
        }
        return Int(status.st_size)
    }

    /// Cuts the file off; what is appended from now on goes behind that.
    package func truncate(to length: Int) throws(FileError) {
        try report { () throws(SystemError) in
            if ftruncate(file.descriptor, length) != 0 { throw .last }
        }
        offset = length
    }

    /// Keeps bytes for the next `write`.
    package func append(_ bytes: [UInt8]) { buffer += bytes }

    /// Writes what was appended where it is much.
    package func writeIfLarge() throws(FileError) {
        if buffer.count >= Self.largeBuffer { try write() }
    }

    /// Writes what was appended.
    package func write() throws(FileError) {
        let bytes = buffer
        try report { () throws(SystemError) in try unsafe file.write(bytes.span.bytes, at: offset) }
        offset += bytes.count
        buffer = []
    }

    /// Waits until what was written is on the disk.
    package func synchronize() throws(FileError) {
        try report { () throws(SystemError) in try file.synchronize() }
    }

    /// Writes bytes over the beginning.
    package func overwriteStart(_ bytes: [UInt8]) throws(FileError) {
        try report { () throws(SystemError) in try unsafe file.write(bytes.span.bytes, at: 0) }
    }

    private func report(_ body: () throws(SystemError) -> Void) throws(FileError) {
        do throws(SystemError) {
            try body()
        } catch {
            throw FileError(.inputOutput, name, "cannot be written", error)
        }
    }

    /// Reads the whole lines that the file holds, from its beginning.
    package func lines() -> Lines { Lines(file: self) }

    /// The lines of a file, without their ends; read piece by piece.
    package struct Lines {
        private let file: AppendedFile
        private var offset = 0
        private var rest = [UInt8]()[...]
        private var piece = [UInt8](repeating: 0, count: 1 << 16)

        fileprivate init(file: AppendedFile) { self.file = file }

        /// The next line; nil behind the last one that has an end.
        package mutating func next() throws(FileError) -> String? {
            while true {
                if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    defer { rest = rest[(end + 1)...] }
                    return String(decoding: rest[..<end], as: UTF8.self)
                }
                let count = unsafe piece.withUnsafeMutableBytes {
                    unsafe pread(file.file.descriptor, $0.baseAddress, $0.count, offset)
                }
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw FileError(.inputOutput, file.name, "cannot be read back", .last) }
                if count == 0 { return nil }
                offset += count
                rest = rest + piece[..<count]
            }
        }
    }
}
