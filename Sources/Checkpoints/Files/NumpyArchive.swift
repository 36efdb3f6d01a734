/// Reads NumPy's `.npz`: a zip of `.npy` arrays.
///
/// Source: NumPy's description of the npy format, versions 1 to 3.
enum NumpyArchive {
    private static let types: [String: ElementType] = [
        "f8": .float64, "f4": .float32, "f2": .float16, "i8": .int64, "i4": .int32, "i2": .int16, "i1": .int8,
        "u8": .uint64, "u4": .uint32, "u2": .uint16, "u1": .uint8, "b1": .bool,
        // JAX's bfloat16 is two bytes without a type to NumPy.
        "V2": .bfloat16,
    ]

    static func read(_ archive: ZipArchive) throws(CheckpointError) -> [StoredTensor] {
        var tensors: [StoredTensor] = []
        for entry in archive.entries where entry.name.hasSuffix(".npy") {
            tensors.append(try tensor(entry))
        }
        return tensors
    }

    private static func tensor(_ entry: ZipEntry) throws(CheckpointError) -> StoredTensor {
        let content = try entry.content()
        let name = String(entry.name.dropLast(4))
        guard let (header, dataStart) = header(content) else {
            throw .malformed(entry.path, "holds \(entry.name), which is no NumPy array")
        }
        guard let descriptor = string("descr", header), let isFortran = word("fortran_order", header),
            let shape = shape(header)
        else { throw .malformed(entry.path, "holds \(entry.name), whose header lacks descr, fortran_order or shape") }
        guard !descriptor.hasPrefix(">"), let type = types[String(descriptor.drop { "<|=".contains($0) })] else {
            throw .malformed(entry.path, "stores \(name) as \(descriptor); <f4, <f2 and <f8 can be read")
        }
        guard let count = elementCount(shape), count <= (content.count - dataStart) / type.size,
            content.count - dataStart == count * type.size
        else {
            throw .malformed(
                entry.path,
                "has \(content.count - dataStart) bytes for \(name) of shape \(shape) and type \(descriptor)")
        }
        let bytes = content.slice(dataStart, count * type.size) ?? content
        let strides = isFortran == "True" ? Array(rowMajorStrides(shape.reversed()).reversed()) : nil
        return StoredTensor(
            description: TensorDescription(name: name, type: type, shape: shape), strides: strides,
            source: entry.isDeflated ? .deflated(entry, offset: dataStart) : .mapped(bytes), path: entry.path)
    }

    /// The dictionary at the head of an array, and where its numbers begin.
    private static func header(_ bytes: Bytes) -> (text: String, end: Int)? {
        guard bytes.starts(with: [0x93] + Array("NUMPY".utf8)), let version = bytes.integer(UInt8.self, at: 6) else {
            return nil
        }
        let isShort = version == 1
        let length =
            isShort
            ? bytes.integer(UInt16.self, at: 8).map { Int($0) } : bytes.integer(UInt32.self, at: 8).map { Int($0) }
        let start = isShort ? 10 : 12
        guard let length, length <= 1 << 16, let text = bytes.slice(start, length)?.text else { return nil }
        return (text, start + length)
    }

    /// What follows a key of Python's dictionary literal.
    private static func value(_ key: String, _ header: String) -> Substring? {
        guard let range = header.firstRange(of: "'\(key)':") else { return nil }
        return header[range.upperBound...].drop { $0 == " " }
    }

    private static func string(_ key: String, _ header: String) -> String? {
        guard let value = value(key, header), value.first == "'" else { return nil }
        return String(value.dropFirst().prefix { $0 != "'" })
    }

    private static func word(_ key: String, _ header: String) -> String? {
        value(key, header).map { String($0.prefix { $0.isLetter }) }
    }

    private static func shape(_ header: String) -> [Int]? {
        guard let value = value("shape", header), value.first == "(", let end = value.firstIndex(of: ")") else {
            return nil
        }
        let extents = value[value.index(after: value.startIndex)..<end].split(separator: ",")
            .map { String($0.filter { $0 != " " }) }.filter { !$0.isEmpty }
        let shape = extents.compactMap { Int($0) }
        return shape.count == extents.count && shape.allSatisfy { $0 >= 0 } ? shape : nil
    }
}
