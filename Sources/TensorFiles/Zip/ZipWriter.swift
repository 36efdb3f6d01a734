import CImageCodecs
import Support

/// Writes a zip archive of stored entries, each at a multiple of 64 bytes, as torch does.
final class ZipWriter {
    private let file: OutputFile
    private let path: String
    private var directory: [UInt8] = []
    private var count = 0
    /// The entry that is being written.
    private var entry: Entry?

    private struct Entry {
        var name: [UInt8]
        var start: Int
        var size: Int
        var checksum: UInt32 = 0
    }

    init(_ path: String) throws(FileError) {
        self.path = path
        file = try OutputFile(path)
    }

    /// Writes a whole entry.
    func add(_ name: String, _ content: [UInt8]) throws(FileError) {
        try begin(name, size: content.count)
        try unsafe append(content.span.bytes)
        try end()
    }

    /// Starts an entry of `size` bytes.
    func begin(_ name: String, size: Int) throws(FileError) {
        let start = file.position
        guard start + size < Int(UInt32.max) - (1 << 20) else {
            throw FileError(.cannotCreate, path, "would be larger than 4 GiB; half precision halves it")
        }
        let entry = Entry(name: Array(name.utf8), start: start, size: size)
        // Torch fills up with an extra field of its own initials.
        let unaligned = start + 30 + entry.name.count + 4
        let filling = (64 - unaligned % 64) % 64
        let extra =
            littleEndian(UInt16(0x4246)) + littleEndian(UInt16(filling)) + [UInt8](repeating: 0x5A, count: filling)
        // The checksum follows when it is known.
        let header = littleEndian(UInt32(0x0403_4B50)) + Self.common + littleEndian(UInt32(0)) + Self.sizes(entry)
        try file.append(header + littleEndian(UInt16(extra.count)) + entry.name + extra)
        self.entry = entry
    }

    /// Writes the next bytes of the entry.
    func append(_ bytes: RawSpan) throws(FileError) {
        if bytes.isEmpty { return }
        try file.append(bytes)
        let before = entry?.checksum ?? 0
        entry?.checksum = unsafe bytes.withUnsafeBytes { bytes in
            let start = unsafe bytes.assumingMemoryBound(to: UInt8.self).baseAddress
            return unsafe codecs_crc32_update(before, start, bytes.count)
        }
    }

    /// Ends the entry.
    func end() throws(FileError) {
        guard let entry else { return }
        let checksum = littleEndian(entry.checksum)
        try file.overwrite(checksum, at: entry.start + 14)
        directory += littleEndian(UInt32(0x0201_4B50)) + littleEndian(UInt16(20)) + Self.common + checksum
        directory += Self.sizes(entry) + [UInt8](repeating: 0, count: 12) + littleEndian(UInt32(entry.start))
        directory += entry.name
        count += 1
        self.entry = nil
    }

    /// Version 2.0, no flags, stored, no time.
    private static let common = littleEndian(UInt16(20)) + [0, 0, 0, 0] + littleEndian(UInt32(0x0021_0000))

    private static func sizes(_ entry: Entry) -> [UInt8] {
        let size = littleEndian(UInt32(entry.size))
        return size + size + littleEndian(UInt16(entry.name.count))
    }

    func commit() throws(FileError) {
        let start = file.position
        let counts = littleEndian(UInt16(count)) + littleEndian(UInt16(count))
        let end = littleEndian(UInt32(0x0605_4B50)) + [0, 0, 0, 0] + counts
        let place = littleEndian(UInt32(directory.count)) + littleEndian(UInt32(start)) + [0, 0]
        try file.append(directory + end + place)
        try file.commit()
    }
}
