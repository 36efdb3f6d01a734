import Support
import TensorFiles
import TestTools
import Testing

/// What is written, in pieces or at once, is read back, and appears when it is whole.
struct WriterTests {
    private let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    private static let values: [Float] = [1, -2.5, 0, 1e-3, 65504, .infinity]

    private func descriptions(_ type: StoredType) -> [TensorDescription] {
        [("a", [2, 3]), ("none", [0, 4]), ("b", []), ("ä/c", [2])].map { name, shape in
            TensorDescription(name: name, type: type, shape: shape)
        }
    }

    private func write(to writer: some TensorWriter) throws {
        for piece in [Self.values[..<1], Self.values[1..<6], [], Self.values[3..<4], Self.values[4...]] {
            try writer.append(Array(piece).span)
        }
        try writer.commit()
    }

    private func check(_ path: String, _ format: TensorFile.Format, _ type: StoredType) throws {
        let file = try TensorFile.open(path)
        #expect(file.format == format && file.tensors.map(\.description) == descriptions(type))
        let rounded = Self.values.map { type == .float16 ? Float(Float16($0)) : $0 }
        let expected = [rounded, [], Array(rounded[3..<4]), Array(rounded[4...])]
        #expect(try file.tensors.map { tensor throws(FileError) in try tensor.values() } == expected)
        #expect(try scratch.names == [Files.name(of: path)])
    }

    @Test(arguments: [StoredType.float32, .float16])
    func safetensors(_ type: StoredType) throws {
        let path = scratch.path + "/t.safetensors"
        try write(to: SafetensorsWriter(path, descriptions(type)))
        try check(path, .safetensors, type)
    }

    @Test(arguments: [StoredType.float32, .float16])
    func torch(_ type: StoredType) throws {
        let path = scratch.path + "/t.pth"
        try write(to: TorchWriter(path, descriptions(type)))
        try check(path, .torch, type)
        #expect(try TensorFile.open(path).wrapper == "model")
    }

    @Test func anAbandonedFileLeavesNothing() throws {
        do {
            let writer = try TorchWriter(scratch.path + "/t.pth", descriptions(.float32))
            try writer.append(Self.values.span)
        }
        #expect(try scratch.names.isEmpty)
    }

    @Test func numbersInPlaceAreOfferedWhereTheyNeedNoChange() throws {
        let path = scratch.path + "/t.safetensors"
        try write(to: SafetensorsWriter(path, descriptions(.float32)))
        let tensor = try #require(try TensorFile.open(path).tensors.first)
        let bytes = try #require(tensor.mappedFloats)
        #expect(bytes.count == 24 && bytes.start % 64 == 0)
        #expect(Float(bitPattern: bytes.integer(UInt32.self, at: 4) ?? 0) == -2.5)
        tensor.releasePages()
        #expect(try tensor.values() == Self.values)
        try write(to: SafetensorsWriter(path, descriptions(.float16)))
        #expect(try TensorFile.open(path).tensors.allSatisfy { $0.mappedFloats == nil })
    }

    @Test func dimensionsArePermuted() throws {
        let path = scratch.path + "/t.safetensors"
        let writer = try SafetensorsWriter(
            path, [TensorDescription(name: "a", type: .float16, shape: [2, 3])])
        try writer.append(([1, 2, 3, 4, 5, 6] as [Float]).span)
        try writer.commit()
        let tensor = try #require(try TensorFile.open(path).tensors.first)
        var values = [Float](repeating: 0, count: 6)
        var span = values.mutableSpan
        try tensor.copy(permutation: [1, 0], into: &span)
        #expect(values == [1, 4, 2, 5, 3, 6])
    }

    @Test func arraysOfNumPyGrowRowByRow() throws {
        let (path, unfinished) = (scratch.path + "/out.npy", UnfinishedFiles())
        let writer = try NumPyWriter(path, rowShape: [2], unfinished: unfinished)
        for row in [[1, 2], [3, 4], [5, 6]] as [[Float]] { try writer.append(row) }
        #expect(try scratch.names.count == 1 && !scratch.names.contains("out.npy"))
        try writer.finish()
        let matrix = try NumPyMatrix(contentsOfFile: path)
        #expect(matrix.rows == 3 && matrix[2] == [5, 6])
        var rows = [Float](repeating: 0, count: 4)
        var span = rows.mutableSpan
        matrix.copy(1..<3, into: &span)
        #expect(rows == [3, 4, 5, 6])
    }
}
