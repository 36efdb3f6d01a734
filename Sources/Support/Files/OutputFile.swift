import LibC

/// A file that appears under its name when it is whole and on the disk; abandoned, it leaves nothing.
///
/// It is written beside its place, synchronised, and renamed by `commit`.
package final class OutputFile {
    private let path: String
    private let partialPath: String
    private let unfinished: UnfinishedFiles?
    private let file: WritableFile
    private var isCommitted = false
    private var buffer: [UInt8] = []
    /// The bytes appended so far.
    package private(set) var position = 0

    private static let bufferSize = 1 << 20

    /// Starts a file that will be called `path`; a signal can remove it through `unfinished`.
    package init(_ path: String, unfinished: UnfinishedFiles? = nil) throws(FileError) {
        try Self.checkPlace(path)
        self.path = path
        self.unfinished = unfinished
        try unfinished?.removeAbandoned(of: path)
        do throws(SystemError) {
            let started = try PartialName.createFile(for: path)
            file = WritableFile(descriptor: started.descriptor)
            partialPath = started.path
        } catch {
            throw FileError(.cannotCreate, path, "cannot be created", error)
        }
        unfinished?.insert(partialPath)
    }

    deinit {
        if !isCommitted { discard() }
    }

    /// Refuses a path where something is that no file can replace.
    package static func checkPlace(_ path: String) throws(FileError) {
        do throws(SystemError) {
            if try Files.status(path).isRegularFile { return }
        } catch {
            if error.isMissing { return }
            throw FileError(.cannotCreate, path, "cannot be examined", error)
        }
        throw FileError(.cannotCreate, path, "is no regular file; name a new file, or one to replace")
    }

    /// Appends bytes; many are written without a copy.
    package func append(_ bytes: RawSpan) throws(FileError) {
        if buffer.count + bytes.byteCount <= Self.bufferSize {
            unsafe bytes.withUnsafeBytes { unsafe buffer.append(contentsOf: $0) }
        } else {
            try flush()
            try write(bytes, at: position)
        }
        position += bytes.byteCount
    }

    /// Appends bytes.
    package func append(_ bytes: [UInt8]) throws(FileError) { try unsafe append(bytes.span.bytes) }

    /// Replaces bytes that were appended before.
    package func overwrite(_ bytes: [UInt8], at offset: Int) throws(FileError) {
        try flush()
        try unsafe write(bytes.span.bytes, at: offset)
    }

    /// Makes sure that the bytes are on the disk and gives the file its name.
    package func commit() throws(FileError) {
        try flush()
        do throws(SystemError) {
            try file.synchronize()
        } catch {
            throw FileError(.inputOutput, path, "cannot be written", error)
        }
        try Files.move(partialPath, to: path)
        isCommitted = true
        unfinished?.remove(partialPath)
    }

    private func discard() {
        Files.discard(partialPath)
        unfinished?.remove(partialPath)
    }

    private func flush() throws(FileError) {
        var bytes: [UInt8] = []
        swap(&bytes, &buffer)
        try unsafe write(bytes.span.bytes, at: position - bytes.count)
        bytes.removeAll(keepingCapacity: true)
        buffer = bytes
    }

    private func write(_ bytes: RawSpan, at offset: Int) throws(FileError) {
        do throws(SystemError) {
            try file.write(bytes, at: offset)
        } catch {
            throw FileError(.inputOutput, path, "cannot be written", error)
        }
    }
}

extension Files {
    /// Writes a whole file, as `OutputFile` does.
    package static func write(
        _ bytes: [UInt8], to path: String, unfinished: UnfinishedFiles? = nil
    ) throws(FileError) {
        let file = try OutputFile(path, unfinished: unfinished)
        try file.append(bytes)
        try file.commit()
    }

    /// Writes a whole text file, as `OutputFile` does.
    package static func write(
        _ text: String, to path: String, unfinished: UnfinishedFiles? = nil
    ) throws(FileError) {
        try write(Array(text.utf8), to: path, unfinished: unfinished)
    }
}
