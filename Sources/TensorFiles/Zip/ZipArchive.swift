import Support

/// Reads the directory of a zip archive. Entries may be stored, and are then mapped in place, or deflated.
///
/// Source: PKWARE's APPNOTE, sections 4.3 to 4.5, with the 64-bit extensions.
struct ZipArchive: Sendable {
    let path: String
    let entries: [ZipEntry]
    private let indices: [String: Int]

    /// Trained weights hardly shrink; what unpacks to far more than the file was made to fill the memory.
    private static let greatestRatio = 32
    /// What the packed entries of any file may unpack to, however small it is.
    private static let smallSize = 64 << 20
    /// What those of no file may unpack to, however large it is.
    private static let greatestSize = 16 << 30

    private static let endSignature: UInt32 = 0x0605_4B50
    private static let end64Signature: UInt32 = 0x0606_4B50
    private static let locator64Signature: UInt32 = 0x0706_4B50
    private static let directorySignature: UInt32 = 0x0201_4B50
    private static let localSignature: UInt32 = 0x0403_4B50

    /// Whether `bytes` begins as an archive does.
    static func recognizes(_ bytes: Bytes) -> Bool {
        bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) || bytes.starts(with: [0x50, 0x4B, 0x05, 0x06])
    }

    init(_ file: MappedFile) throws(FileError) {
        path = file.path
        let (start, size, count) = try Self.directory(file)
        guard let directory = file.bytes.slice(start, size) else {
            throw .malformed(path, "is cut short: the directory of the archive lies beyond its end; copy it again")
        }
        var entries: [ZipEntry] = []
        var indices: [String: Int] = [:]
        var offset = 0
        for _ in 0..<count {
            let (entry, length) = try Self.entry(directory, offset, file)
            guard indices.updateValue(entries.count, forKey: entry.name) == nil else {
                throw .malformed(path, "holds \(entry.name) twice")
            }
            entries.append(entry)
            offset += length
        }
        self.entries = entries
        self.indices = indices
        try checkUnpackedSize(fileSize: file.bytes.count)
    }

    /// Refuses a file whose packed entries claim more memory together than weights of its size can take.
    private func checkUnpackedSize(fileSize: Int) throws(FileError) {
        let largest = Self.greatestSize / Self.greatestRatio
        let most = max(Self.smallSize, Self.greatestRatio * min(fileSize, largest))
        var left = most
        for entry in entries where entry.isDeflated {
            guard entry.size <= left else {
                throw .malformed(
                    path,
                    "has \(fileSize) bytes, and its compressed entries claim to unpack to more than \(most); weights do not "
                        + "shrink so far: save them again without compression")
            }
            left -= entry.size
        }
    }

    /// The entry called `name`.
    subscript(_ name: String) -> ZipEntry? { indices[name].map { entries[$0] } }

    /// Where the directory starts, how long it is and how many entries it has.
    private static func directory(_ file: MappedFile) throws(FileError) -> (start: Int, size: Int, count: Int) {
        let bytes = file.bytes
        // The end record is 22 bytes and a comment of up to 65,535.
        let earliest = max(0, bytes.count - 22 - 65_535)
        var end = bytes.count - 22
        while end >= earliest, bytes.integer(UInt32.self, at: end) != endSignature { end -= 1 }
        guard end >= earliest, let count = bytes.integer(UInt16.self, at: end + 10),
            let size = bytes.integer(UInt32.self, at: end + 12), let start = bytes.integer(UInt32.self, at: end + 16)
        else { throw .malformed(file.path, "is cut short: the archive has no directory at its end; copy it again") }
        if bytes.integer(UInt32.self, at: end - 20) == locator64Signature {
            return try directory64(file, locator: end - 20)
        }
        return (Int(start), Int(size), Int(count))
    }

    private static func directory64(
        _ file: MappedFile, locator: Int
    ) throws(FileError) -> (start: Int, size: Int, count: Int) {
        let bytes = file.bytes
        guard let end = bytes.integer(UInt64.self, at: locator + 8).flatMap({ Int(exactly: $0) }),
            bytes.integer(UInt32.self, at: end) == end64Signature,
            let count = bytes.integer(UInt64.self, at: end &+ 32).flatMap({ Int(exactly: $0) }),
            let size = bytes.integer(UInt64.self, at: end &+ 40).flatMap({ Int(exactly: $0) }),
            let start = bytes.integer(UInt64.self, at: end &+ 48).flatMap({ Int(exactly: $0) }),
            // An entry takes 46 bytes at least.
            count <= size / 46
        else { throw .malformed(file.path, "has a damaged directory at the end of the archive; copy it again") }
        return (start, size, count)
    }

    /// The entry that the directory describes at `offset`, and the length of the description.
    private static func entry(
        _ directory: Bytes, _ offset: Int, _ file: MappedFile
    ) throws(FileError) -> (ZipEntry, Int) {
        func field<T: FixedWidthInteger & BitwiseCopyable>(_ at: Int, _: T.Type) -> Int? {
            directory.integer(T.self, at: offset + at).map { Int($0) }
        }
        guard directory.integer(UInt32.self, at: offset) == directorySignature,
            let flags = field(8, UInt16.self), let method = field(10, UInt16.self),
            let checksum = directory.integer(UInt32.self, at: offset + 16),
            let packedSize = field(20, UInt32.self), let size = field(24, UInt32.self),
            let nameLength = field(28, UInt16.self), let extraLength = field(30, UInt16.self),
            let commentLength = field(32, UInt16.self), let header = field(42, UInt32.self),
            let name = directory.slice(offset + 46, nameLength)?.text,
            let extra = directory.slice(offset + 46 + nameLength, extraLength)
        else { throw .malformed(file.path, "has a damaged directory at the end of the archive; copy it again") }
        guard flags & 1 == 0 else { throw .malformed(file.path, "is encrypted; a plain archive was expected") }
        guard method == 0 || method == 8 else {
            throw .malformed(file.path, "packs \(name) by method \(method); stored and deflated entries can be read")
        }
        guard let sizes = wide([size, packedSize, header], in: extra),
            let packed = content(file.bytes, header: sizes[2], size: sizes[1]), method == 8 || sizes[0] == sizes[1]
        else { throw .malformed(file.path, "is damaged: \(name) does not lie where the directory says; copy it again") }
        let entry = ZipEntry(
            name: name, packed: packed, size: sizes[0], isDeflated: method == 8, checksum: checksum, path: file.path)
        return (entry, 46 + nameLength + extraLength + commentLength)
    }

    /// Replaces each value that did not fit into 32 bits by the 64-bit one in the extra field, in their order.
    private static func wide(_ values: [Int], in extra: Bytes) -> [Int]? {
        guard values.contains(0xFFFF_FFFF) else { return values }
        var offset = 0
        while let tag = extra.integer(UInt16.self, at: offset), let length = extra.integer(UInt16.self, at: offset + 2)
        {
            if tag == 1 {
                var position = offset + 4
                var wide: [Int] = []
                for value in values {
                    guard value == 0xFFFF_FFFF else {
                        wide.append(value)
                        continue
                    }
                    guard let long = extra.integer(UInt64.self, at: position), let value = Int(exactly: long) else {
                        return nil
                    }
                    wide.append(value)
                    position += 8
                }
                return wide
            }
            offset += 4 + Int(length)
        }
        return nil
    }

    /// The packed bytes of the entry whose local header stands at `header`.
    private static func content(_ bytes: Bytes, header: Int, size: Int) -> Bytes? {
        guard bytes.integer(UInt32.self, at: header) == localSignature,
            let nameLength = bytes.integer(UInt16.self, at: header + 26),
            let extraLength = bytes.integer(UInt16.self, at: header + 28)
        else { return nil }
        return bytes.slice(header + 30 + Int(nameLength) + Int(extraLength), size)
    }
}
