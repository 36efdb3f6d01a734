import LibC

/// A tar archive whose files are read in place; any thread may read.
package final class TarArchive: Sendable {
    /// Which of its files are wanted: by name, or by the first bytes of the content.
    package struct Selection: Sendable {
        let name: @Sendable (_ name: String) -> Bool
        let head: @Sendable (_ bytes: [UInt8]) -> Bool
        let headCount: Int

        /// - Parameter headCount: the number of bytes that `head` examines.
        package init(
            name: @escaping @Sendable (_ name: String) -> Bool, head: @escaping @Sendable (_ bytes: [UInt8]) -> Bool,
            headCount: Int
        ) {
            (self.name, self.head, self.headCount) = (name, head, headCount)
        }
    }

    /// The archive as it was named.
    package let path: String
    /// Its files.
    package let index: TarIndex
    /// What is wrong with the archive after its last readable file; nil if it is whole.
    package let damage: FileError?
    /// Its status when it was opened.
    package let status: Files.Status
    /// Nil where it is opened for each read.
    private let file: InputFile?

    /// Indexes of smaller archives are made as fast as they are read.
    private static let minKeptCount = 1000

    /// Whether a file that begins with these 512 bytes is an archive.
    package static func begins(_ file: [UInt8]) -> Bool { TarHeader.begins(file) }

    /// The number of bytes that `begins` examines.
    package static let headCount = TarHeader.blockSize

    /// Opens an archive, and makes its index unless one is kept.
    ///
    /// - Parameters:
    ///   - selection: which files are wanted; always the same for one cache.
    ///   - cache: where the index is kept; nil: nowhere.
    ///   - staysOpen: whether to keep it open between reads.
    package init(
        _ path: String, selecting selection: Selection, cache: TarIndexCache?, staysOpen: Bool = true
    ) throws(SystemError) {
        self.path = path
        let file = try InputFile(path)
        let status = try file.status()
        guard status.isRegularFile else { throw .isNoFile }
        self.status = status
        if let kept = cache?.index(of: path, status) {
            index = kept
            damage = nil
        } else {
            let made = try TarIndexBuilder(wants: selection).build(InputFile(path), byteCount: status.byteCount)
            index = made.index
            damage = made.damage.map { FileError.malformed(path, $0) }
            if made.damage == nil, made.index.count >= Self.minKeptCount { cache?.keep(made.index, of: path, status) }
        }
        self.file = staysOpen ? consume file : nil
    }

    /// The first bytes of a file, `limit` at most, from `start` on. The error is EIO where the archive has become shorter.
    package func bytes(of index: Int, from start: Int = 0, upTo limit: Int = .max) throws(SystemError) -> [UInt8] {
        let entry = self.index.entries[index]
        let size = Int(entry.size)
        let first = min(start, size)
        let count = min(limit, size - first)
        let bytes: [UInt8]
        if file != nil {
            // Optional chaining would consume the file.
            guard let read = try file?.read(count, at: Int(entry.offset) + first) else { return [] }
            bytes = read
        } else {
            bytes = try InputFile(path).read(count, at: Int(entry.offset) + first)
        }
        guard bytes.count == count else { throw SystemError(code: EIO) }
        return bytes
    }

    /// Whether the file of this name is still the one that was opened, and as long.
    package var isUnchanged: Bool {
        guard let now = try? Files.status(path) else { return false }
        return now.identity == status.identity && now.byteCount == status.byteCount && now.modified == status.modified
    }
}
