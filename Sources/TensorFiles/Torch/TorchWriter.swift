import Support

/// Writes what `torch.save({"model": tensors})` writes, for scripts that begin with `torch.load(…)["model"]`.
package final class TorchWriter: TensorWriter {
    private let archive: ZipWriter
    private var cursor: TensorCursor

    /// Starts a file that will be called `path` and hold these tensors.
    package init(_ path: String, _ tensors: [TensorDescription]) throws(FileError) {
        cursor = TensorCursor(tensors)
        archive = try ZipWriter(path)
        try archive.add("archive/data.pkl", Self.pickle(tensors))
        try archive.add("archive/byteorder", Array("little".utf8))
    }

    package func append(_ numbers: Span<Float>) throws(FileError) {
        let tensor = cursor.tensor
        if cursor.isAtStart { try archive.begin("archive/data/\(cursor.index)", size: tensor.byteCount) }
        try numbers.forEachPiece(as: tensor.type) { (piece) throws(FileError) in try archive.append(piece) }
        if cursor.advance(numbers.count) { try archive.end() }
    }

    package func commit() throws(FileError) {
        cursor.checkEnd()
        try archive.add("archive/version", Array("3\n".utf8))
        try archive.commit()
    }

    /// Protocol 2, without a memo: longer than torch's own and the same to its reader.
    private static func pickle(_ tensors: [TensorDescription]) -> [UInt8] {
        let orderedDictionary = global("collections", "OrderedDict") + code(")R")
        var pickle: [UInt8] = [0x80, 2] + code("}(") + text("model") + orderedDictionary + code("(")
        for (index, tensor) in tensors.enumerated() {
            let storageType = tensor.type == .float16 ? "HalfStorage" : "FloatStorage"
            pickle += text(tensor.name) + global("torch._utils", "_rebuild_tensor_v2") + code("((")
            pickle += text("storage") + global("torch", storageType) + text("\(index)") + text("cpu")
            pickle += integer(tensor.count) + code("tQ") + integer(0)
            pickle += tuple(tensor.shape) + tuple(rowMajorStrides(tensor.shape))
            pickle += [0x89] + orderedDictionary + code("tR")
        }
        return pickle + code("uu.")
    }

    private static func code(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func text(_ text: String) -> [UInt8] {
        code("X") + littleEndian(UInt32(text.utf8.count)) + code(text)
    }

    private static func global(_ module: String, _ name: String) -> [UInt8] { code("c\(module)\n\(name)\n") }

    private static func integer(_ value: Int) -> [UInt8] {
        guard let short = Int32(exactly: value) else { return [0x8A, 8] + littleEndian(Int64(value)) }
        return code("J") + littleEndian(short)
    }

    private static func tuple(_ values: [Int]) -> [UInt8] { code("(") + values.flatMap(integer) + code("t") }
}
