/// Where the indexes of archives are kept: a file for each archive, by its path. Losing one costs the time to make it again.
///
/// A file holds the mark, what the archive was when the index was made, the entries and the names as they are in memory, and
/// the SHA-256 of all that. Whatever does not match is made anew.
package struct TarIndexCache: Sendable {
    let directory: String

    /// Of this version and of machines with this order of bytes.
    private static let mark = Array("swift-vit tar index 1".utf8)
    private static let (wordSize, digestSize) = (8, 32)
    private static let headerSize = 24 + 6 * wordSize

    /// Keeps indexes in a directory, which need not exist.
    package init(directory: String) { self.directory = directory }

    /// The user's own: below `XDG_CACHE_HOME`, else `~/.cache`; nil where neither is known.
    ///
    /// - Parameter variable: gives a variable of the environment.
    package static func ofUser(_ variable: (String) -> String? = Environment.value) -> TarIndexCache? {
        // Relative paths there are to be ignored (XDG Base Directory Specification).
        let stated = variable("XDG_CACHE_HOME").flatMap { $0.utf8.first == UInt8(ascii: "/") ? $0 : nil }
        guard let cache = stated ?? Environment.home(variable).map({ Files.join($0, ".cache") }) else { return nil }
        return TarIndexCache(directory: Files.join(cache, "swift-vit/archives"))
    }

    /// The index of an archive; nil where none is kept, or it is that of another state of the archive.
    func index(of path: String, _ status: Files.Status) -> TarIndex? {
        guard let file = try? InputFile(place(of: path)), let size = try? file.status().byteCount,
            let header = try? file.read(Self.headerSize, at: 0), header.count == Self.headerSize
        else { return nil }
        let (entryCount, nameCount) = (Self.word(4, of: header), Self.word(5, of: header))
        guard entryCount < 1 << 32, nameCount < 1 << 33,
            header == self.header(status, entryCount: Int(entryCount), nameCount: Int(nameCount))
        else { return nil }
        let entryBytes = Int(entryCount) * MemoryLayout<TarIndex.Entry>.stride
        let namesStart = Self.headerSize + entryBytes
        guard size == namesStart + Int(nameCount) + Self.digestSize,
            let stored = try? file.read(entryBytes, at: Self.headerSize),
            let names = try? file.read(Int(nameCount), at: namesStart),
            let digest = try? file.read(Self.digestSize, at: namesStart + Int(nameCount)),
            digest == Self.digest(of: header, stored, names).bytes
        else { return nil }
        let entries = unsafe [TarIndex.Entry](unsafeUninitializedCapacity: Int(entryCount)) { buffer, count in
            unsafe UnsafeMutableRawBufferPointer(buffer).copyBytes(from: stored)
            count = Int(entryCount)
        }
        let isSound = entries.allSatisfy { entry in
            let (end, isTooLarge) = entry.offset.addingReportingOverflow(entry.size)
            return !isTooLarge && end <= UInt64(status.byteCount) && TarIndex.Kind(rawValue: entry.kind) != nil
                && Int(entry.nameStart) + Int(entry.nameLength) <= names.count
        }
        return isSound ? TarIndex(entries: entries, names: names) : nil
    }

    /// Keeps an index; does nothing where that is not possible.
    func keep(_ index: TarIndex, of path: String, _ status: Files.Status) {
        let header = header(status, entryCount: index.count, nameCount: index.names.count)
        let stored = unsafe index.entries.withUnsafeBytes { unsafe Array($0) }
        do throws(FileError) {
            try Files.makeDirectory(directory)
            let file = try OutputFile(place(of: path))
            try file.append(header)
            try file.append(stored)
            try file.append(index.names)
            try file.append(Self.digest(of: header, stored, index.names).bytes)
            try file.commit()
        } catch {}
    }

    /// Archives of one name in several directories have one place each, however they are named.
    private func place(of path: String) -> String {
        let resolved = (try? Files.resolved(path)) ?? path
        return Files.join(directory, "\(SHA256(of: Array(resolved.utf8)).hex.prefix(32)).index")
    }

    private func header(_ status: Files.Status, entryCount: Int, nameCount: Int) -> [UInt8] {
        let words = [
            UInt64(status.byteCount), UInt64(bitPattern: status.modified), status.identity.device,
            status.identity.inode,
            UInt64(entryCount), UInt64(nameCount),
        ]
        // A machine with the other order of bytes would not find the mark of an index of this one.
        let order = unsafe withUnsafeBytes(of: UInt16(1)) { unsafe $0[0] }
        let mark = Self.mark + [order, UInt8(MemoryLayout<TarIndex.Entry>.stride), 0]
        return mark + words.flatMap { littleEndian($0) }
    }

    /// The number `index` of a header.
    private static func word(_ index: Int, of header: [UInt8]) -> UInt64 {
        header[(24 + index * wordSize)..<(24 + (index + 1) * wordSize)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func digest(of parts: [UInt8]...) -> SHA256 {
        var sum = SHA256.Sum()
        for part in parts { sum.add(part) }
        return sum.digest
    }
}
