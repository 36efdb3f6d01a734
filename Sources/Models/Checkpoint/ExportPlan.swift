import Compute
import TensorFiles

/// Gives a tensor under its canonical name.
public typealias TensorSource = (String) throws(CheckpointError) -> Tensor

/// One tensor of a file to be written: rows of a canonical tensor under another name.
struct ExportedTensor {
    var name: String
    var shape: [Int]
    var canonical: String
    var rows: Range<Int>

    /// The tensors under a layout's names; queries, keys and values come apart where the layout keeps them so.
    static func plan(_ shapes: [ParameterShape], _ names: some TensorNames) -> [ExportedTensor] {
        shapes.flatMap { parameter in
            let parts = names.parts(of: parameter.name)
            let count = (parameter.shape.first ?? 0) / max(1, parts.count)
            return parts.enumerated().map { index, part in
                ExportedTensor(
                    name: part.name, shape: [count] + parameter.shape.dropFirst(), canonical: parameter.name,
                    rows: index * count..<(index + 1) * count)
            }
        }
    }
}

extension [ExportedTensor] {
    /// Writes a safetensors file, tensor by tensor as `source` gives them.
    func writeSafetensors(
        to path: String, as type: StoredType, from source: TensorSource
    ) throws(CheckpointError) {
        try write(to: SafetensorsWriter(path, descriptions(type)), from: source)
    }

    /// Writes a file of torch's, tensor by tensor as `source` gives them.
    func writeTorch(to path: String, as type: StoredType, from source: TensorSource) throws(CheckpointError) {
        try write(to: TorchWriter(path, descriptions(type)), from: source)
    }

    private func descriptions(_ type: StoredType) -> [TensorDescription] {
        map { TensorDescription(name: $0.name, type: type, shape: $0.shape) }
    }

    private func write(to writer: some TensorWriter, from source: TensorSource) throws(CheckpointError) {
        for tensor in self {
            let whole = try source(tensor.canonical)
            let rows = tensor.rows == 0..<(whole.shape.first ?? 0) ? whole : whole.rows(tensor.rows)
            try rows.withNumbers { (numbers) throws(CheckpointError) in try writer.append(numbers) }
        }
        try writer.commit()
    }
}
