import Compute

/// Writes a zip archive of stored entries, each at a multiple of 64 bytes, as torch does.
struct ZipWriter {
    private let file: OutputFile
    private let path: String
    private var directory: [UInt8] = []
    private var count = 0

    init(_ path: String) throws(CheckpointError) {
        self.path = path
        file = try OutputFile(path)
    }

    mutating func add(_ name: String, _ content: [UInt8]) throws(CheckpointError) {
        try add(name, size: content.count) { (file) throws(CheckpointError) in try file.append(content) }
    }

    mutating func add(_ name: String, _ tensor: Tensor, as type: ElementType) throws(CheckpointError) {
        try add(name, size: tensor.count * type.size) { (file) throws(CheckpointError) in
            try file.append(tensor, as: type)
        }
    }

    private mutating func add(
        _ name: String, size: Int, write: (OutputFile) throws(CheckpointError) -> Void
    ) throws(CheckpointError) {
        let start = file.position
        guard start + size < Int(UInt32.max) - (1 << 20) else {
            throw CheckpointError(.cannotCreate, path, "would be larger than 4 GiB; half precision halves it")
        }
        let name = Array(name.utf8)
        // Torch fills up with an extra field of its own initials.
        let unaligned = start + 30 + name.count + 4
        let filling = (64 - unaligned % 64) % 64
        let extra =
            littleEndian(UInt16(0x4246)) + littleEndian(UInt16(filling)) + [UInt8](repeating: 0x5A, count: filling)
        // Version 2.0, no flags, stored, no time; the checksum follows when it is known.
        let common = littleEndian(UInt16(20)) + [UInt8](repeating: 0, count: 4) + littleEndian(UInt32(0x0021_0000))
        let sizes = littleEndian(UInt32(size)) + littleEndian(UInt32(size)) + littleEndian(UInt16(name.count))
        let header = littleEndian(UInt32(0x0403_4B50)) + common + littleEndian(UInt32(0)) + sizes
        try file.append(header + littleEndian(UInt16(extra.count)) + name + extra)
        let checksum = littleEndian(try file.checksum(of: write))
        try file.patch(checksum, at: start + 14)
        directory += littleEndian(UInt32(0x0201_4B50)) + littleEndian(UInt16(20)) + common + checksum + sizes
        directory += [UInt8](repeating: 0, count: 12) + littleEndian(UInt32(start)) + name
        count += 1
    }

    func commit() throws(CheckpointError) {
        let start = file.position
        let counts = littleEndian(UInt16(count)) + littleEndian(UInt16(count))
        let end = littleEndian(UInt32(0x0605_4B50)) + [0, 0, 0, 0] + counts
        let place = littleEndian(UInt32(directory.count)) + littleEndian(UInt32(start)) + [0, 0]
        try file.append(directory + end + place)
        try file.commit()
    }
}
