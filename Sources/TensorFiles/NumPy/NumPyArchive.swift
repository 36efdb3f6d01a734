import Support

/// Reads NumPy's `.npz`: a zip of `.npy` arrays.
///
/// Source: NumPy's description of the npy format, versions 1 to 3.
enum NumPyArchive {
    private static let types: [String: StoredType] = [
        "f8": .float64, "f4": .float32, "f2": .float16, "i8": .int64, "i4": .int32, "i2": .int16, "i1": .int8,
        "u8": .uint64, "u4": .uint32, "u2": .uint16, "u1": .uint8, "b1": .bool,
        // JAX's bfloat16 is two bytes without a type to NumPy.
        "V2": .bfloat16,
    ]

    static func read(_ archive: ZipArchive) throws(FileError) -> [StoredTensor] {
        var tensors: [StoredTensor] = []
        for entry in archive.entries where entry.name.hasSuffix(".npy") {
            tensors.append(try tensor(entry))
        }
        return tensors
    }

    private static func tensor(_ entry: ZipEntry) throws(FileError) -> StoredTensor {
        let content = try entry.content()
        let name = String(entry.name.dropLast(4))
        let start = content.slice(0, min(content.count, NumPyHeader.longest))?.array ?? []
        guard NumPyHeader.isArray(start) else {
            throw .malformed(entry.path, "holds \(entry.name), which is no NumPy array")
        }
        guard let header = NumPyHeader(start) else {
            throw .malformed(entry.path, "holds \(entry.name), whose header lacks descr, fortran_order or shape")
        }
        let (descriptor, shape, dataStart) = (header.descriptor, header.shape, header.length)
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
        let strides = header.isColumnMajor ? Array(rowMajorStrides(shape.reversed()).reversed()) : nil
        return StoredTensor(
            TensorDescription(name: name, type: type, shape: shape), strides: strides,
            source: entry.isDeflated ? .deflated(entry, offset: dataStart) : .mapped(bytes), path: entry.path)
    }
}
