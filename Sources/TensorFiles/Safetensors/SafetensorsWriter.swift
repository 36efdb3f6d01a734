import Support

/// Writes the safetensors format.
package final class SafetensorsWriter: TensorWriter {
    private let file: OutputFile
    private var cursor: TensorCursor

    /// Starts a file that will be called `path` and hold these tensors.
    package init(_ path: String, _ tensors: [TensorDescription]) throws(FileError) {
        cursor = TensorCursor(tensors)
        file = try OutputFile(path)
        try file.append(Self.header(tensors))
    }

    private static func header(_ tensors: [TensorDescription]) -> [UInt8] {
        // Readers of transformers insist on the format of the framework.
        var members = [JSON.Member("__metadata__", .object([JSON.Member("format", .string("pt"))]))]
        var offset = 0
        for tensor in tensors {
            let end = offset + tensor.byteCount
            let entry = [
                JSON.Member("dtype", .string(tensor.type.rawValue)),
                JSON.Member("shape", .array(tensor.shape.map { .integer($0) })),
                JSON.Member("data_offsets", .array([.integer(offset), .integer(end)])),
            ]
            members.append(JSON.Member(tensor.name, .object(entry)))
            offset = end
        }
        var header = Array(JSON.object(members).text(compact: true).utf8)
        // Spaces, so that the numbers begin at a cache line and can be used where they lie.
        header += [UInt8](repeating: 0x20, count: (64 - (8 + header.count) % 64) % 64)
        return littleEndian(UInt64(header.count)) + header
    }

    package func append(_ numbers: Span<Float>) throws(FileError) {
        try numbers.forEachPiece(as: cursor.tensor.type) { (piece) throws(FileError) in try file.append(piece) }
        _ = cursor.advance(numbers.count)
    }

    package func commit() throws(FileError) {
        cursor.checkEnd()
        try file.commit()
    }
}
