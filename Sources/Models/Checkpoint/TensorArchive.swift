import Compute
import TensorFiles

/// Named tensors in one file (safetensors, PyTorch's zip, NumPy's npz), without any idea of a model.
public struct TensorArchive: Sendable {
    /// The file.
    public let path: String
    /// Every tensor, in the file's order.
    public let tensors: [TensorDescription]
    private let byName: [String: StoredTensor]

    /// Maps a file; nothing is copied yet.
    public static func open(_ path: String) throws(CheckpointError) -> TensorArchive {
        TensorArchive(try TensorFile.open(path))
    }

    private init(_ file: TensorFile) {
        path = file.path
        tensors = file.tensors.map(\.description)
        byName = Dictionary(file.tensors.map { ($0.name, $0) }) { first, _ in first }
    }

    /// One tensor, as 32-bit floats in row-major order; it must be stored as floating-point numbers.
    public func tensor(_ name: String) throws(CheckpointError) -> Tensor {
        guard let stored = byName[name] else { throw .malformed(path, "has no tensor \(name)") }
        guard stored.description.type.isFloatingPoint else {
            throw .malformed(path, "stores \(name) as \(stored.description.type.rawValue); floating point was expected")
        }
        return try TensorRecipe(shape: stored.shape, parts: [(TensorPart(name), stored)]).make()
    }

    /// Writes tensors as one safetensors file, which takes its place when it is whole and on the disk.
    ///
    /// - Parameter halfPrecision: whether numbers are rounded to 16 bits, to the nearest and ties to even.
    public static func write(
        _ tensors: [(name: String, tensor: Tensor)], to path: String, halfPrecision: Bool = false
    ) throws(CheckpointError) {
        let type: StoredType = halfPrecision ? .float16 : .float32
        let writer = try SafetensorsWriter(
            path, tensors.map { TensorDescription(name: $0.name, type: type, shape: $0.tensor.shape) })
        for (_, tensor) in tensors {
            try tensor.withNumbers { (numbers) throws(CheckpointError) in try writer.append(numbers) }
        }
        try writer.commit()
    }
}
