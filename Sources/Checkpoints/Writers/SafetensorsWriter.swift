import Compute

/// Writes the safetensors format, one tensor after the other.
enum SafetensorsWriter {
    static func write(
        _ tensors: [ExportedTensor], as type: ElementType, to path: String, from source: TensorSource
    ) throws(CheckpointError) {
        // Readers of transformers insist on the format of the framework.
        var members = [JSON.Member("__metadata__", .object([JSON.Member("format", .string("pt"))]))]
        var offset = 0
        for tensor in tensors {
            let end = offset + tensor.shape.reduce(type.size, *)
            members.append(
                JSON.Member(
                    tensor.name,
                    .object([
                        JSON.Member("dtype", .string(type.rawValue)),
                        JSON.Member("shape", .array(tensor.shape.map { .integer($0) })),
                        JSON.Member("data_offsets", .array([.integer(offset), .integer(end)])),
                    ])))
            offset = end
        }
        var header = Array(JSON.object(members).text(compact: true).utf8)
        // Spaces, so that the numbers begin at a cache line and can be used where they lie.
        header += [UInt8](repeating: 0x20, count: (64 - (8 + header.count) % 64) % 64)
        let file = try OutputFile(path)
        try file.append(littleEndian(UInt64(header.count)) + header)
        for tensor in tensors { try file.append(tensor.tensor(source), as: type) }
        try file.commit()
    }
}

/// The bytes of a number, the lowest first.
func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}
