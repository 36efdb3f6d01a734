import Compute
import Models

/// Gives a tensor under its canonical name.
public typealias TensorSource = (String) throws(CheckpointError) -> Tensor

/// One tensor of a file to be written: rows of a canonical tensor under another name.
struct ExportedTensor {
    var name: String
    var shape: [Int]
    var canonical: String
    var rows: Range<Int>

    /// The numbers, taken from `source`.
    func tensor(_ source: TensorSource) throws(CheckpointError) -> Tensor {
        let whole = try source(canonical)
        return rows == 0..<(whole.shape.first ?? 0) ? whole : whole.rows(rows)
    }

    /// The tensors under the names of `keyMap`; queries, keys and values come apart where the layout keeps them so.
    static func plan(_ shapes: [ParameterShape], _ keyMap: KeyMap) -> [ExportedTensor] {
        shapes.flatMap { parameter in
            let parts = keyMap.parts(of: parameter.name)
            let count = (parameter.shape.first ?? 0) / max(1, parts.count)
            return parts.enumerated().map { index, part in
                ExportedTensor(
                    name: part.name, shape: [count] + parameter.shape.dropFirst(), canonical: parameter.name,
                    rows: index * count..<(index + 1) * count)
            }
        }
    }
}
