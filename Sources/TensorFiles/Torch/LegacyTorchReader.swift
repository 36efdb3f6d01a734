import Support

/// Reads what `torch.save` wrote before version 1.6: five pickles (a magic number, the version, the machine, what was
/// saved, the keys of its storages), then the storages, each behind its length.
///
/// Source: `torch/serialization.py`, `_legacy_load`.
enum LegacyTorchReader {
    /// The first pickle: protocol 2, a number of ten bytes, the end.
    private static let magic: [UInt8] = [
        0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
    ]

    static func recognizes(_ bytes: Bytes) -> Bool { bytes.starts(with: magic) }

    static func read(_ file: MappedFile) throws(FileError) -> TensorFile {
        let contents: TorchContents
        let parts: [String: Bytes]
        do throws(PickleError) {
            var version = PickleInterpreter(file.bytes, at: magic.count)
            _ = try version.run()
            var machine = PickleInterpreter(file.bytes, at: version.position)
            let facts = try TorchContents(&machine).notes
            guard facts["little_endian"]?.bool != false else {
                throw PickleError(reason: "it was saved on a big-endian machine")
            }
            var saved = PickleInterpreter(file.bytes, at: machine.position)
            contents = try TorchContents(&saved)
            var keys = PickleInterpreter(file.bytes, at: saved.position)
            let list = try keys.run()
            parts = try storages(file.bytes, at: keys.position, keys: keys.heap, list, of: saved.heap)
        } catch {
            throw .malformed(
                file.path, "is in torch's format from before version 1.6 and cannot be read: \(error.reason)")
        }
        return try TorchReader.file(contents, .parts(parts, path: file.path))
    }

    /// The bytes of each storage, which stand in the order of the keys.
    private static func storages(
        _ bytes: Bytes, at start: Int, keys: [PickleValue], _ list: PickleValue.Reference, of saved: [PickleValue]
    ) throws(PickleError) -> [String: Bytes] {
        var sizes: [String: Int] = [:]
        for case .storage(let storage) in saved { sizes[storage.key] = storage.type.size }
        var parts: [String: Bytes] = [:]
        var position = start
        for reference in keys[list].elements ?? [] {
            guard case .string(let key) = keys[reference], let size = sizes[key] else {
                throw PickleError(reason: "it stores numbers of a type that is not known")
            }
            guard let count = bytes.integer(Int64.self, at: position), count >= 0, count <= bytes.count / size,
                let part = bytes.slice(position + 8, Int(count) * size)
            else { throw PickleError(reason: "it is cut short; copy it again") }
            parts[key] = part
            position += 8 + part.count
        }
        return parts
    }
}
