import Compute

/// Named tensors in one file (safetensors, PyTorch's zip, NumPy's npz), without any idea of a model.
public struct TensorArchive: Sendable {
    /// The file.
    public let path: String
    /// Every tensor, in the file's order.
    public let tensors: [TensorDescription]
    private let byName: [String: StoredTensor]

    /// Maps a file; nothing is copied yet.
    public static func open(_ path: String) throws(CheckpointError) -> TensorArchive {
        TensorArchive(try WeightsFile.open(path))
    }

    private init(_ weights: WeightsFile) {
        path = weights.path
        tensors = weights.tensors.map(\.description)
        byName = Dictionary(weights.tensors.map { ($0.name, $0) }) { first, _ in first }
    }

    /// Writes tensors as one safetensors file, beside its place and then renamed.
    ///
    /// - Parameter halfPrecision: whether numbers are rounded to 16 bits, to the nearest and ties to even.
    public static func writeSafetensors(
        _ tensors: [(name: String, tensor: Tensor)], to path: String, halfPrecision: Bool = false
    ) throws(CheckpointError) {
        let plan = tensors.enumerated().map { index, entry in
            ExportedTensor(
                name: entry.name, shape: entry.tensor.shape, canonical: String(index),
                rows: 0..<(entry.tensor.shape.first ?? 0))
        }
        try SafetensorsWriter.write(plan, as: halfPrecision ? .float16 : .float32, to: path) {
            tensors[Int($0) ?? 0].tensor
        }
    }

    /// One tensor, as 32-bit floats in row-major order; it must be stored as floating-point numbers.
    public func tensor(_ name: String) throws(CheckpointError) -> Tensor {
        guard let stored = byName[name] else { throw .malformed(path, "has no tensor \(name)") }
        guard stored.description.type.isFloatingPoint else {
            throw .malformed(path, "stores \(name) as \(stored.description.type.rawValue); floating point was expected")
        }
        return try TensorRecipe(shape: stored.shape, parts: [(TensorPart(name), stored)]).make()
    }
}
