import Compute
import TensorFiles

/// How a canonical tensor is made from stored ones.
struct TensorRecipe: Sendable {
    /// Stored tensors, one after the other.
    typealias Parts = [(part: TensorPart, tensor: StoredTensor)]

    var shape: [Int]
    var parts: Parts
    /// How many numbers of the parts come before the first that is used.
    var skippedCount = 0
    /// Parts whose numbers, from `first` on, are added.
    var addition: (parts: Parts, first: Int)?
    /// A batch norm that comes before the layer that the tensor belongs to.
    var batchNorm: FoldedBatchNorm?

    /// The tensor: a view of the mapped file, or a converted copy.
    func make() throws(CheckpointError) -> Tensor {
        let whole = try Self.numbers(of: parts)
        let tensor = whole.rows(skippedCount..<skippedCount + shape.reduce(1, *)).reshaped(shape)
        if let batchNorm { return try batchNorm.folded(into: tensor) }
        guard let addition else { return tensor }
        let others = try Self.numbers(of: addition.parts).values.dropFirst(addition.first)
        return Tensor(zip(tensor.values, others).map { $0 + $1 }, shape: shape)
    }

    /// Gives the memory of numbers that are used where they lie back.
    func releasePages() {
        guard Self.mappedView(of: parts) != nil else { return }
        for part in parts { part.tensor.releasePages() }
    }

    /// The numbers of all parts, one after the other.
    private static func numbers(of parts: Parts) throws(CheckpointError) -> Tensor {
        if let view = mappedView(of: parts) { return view }
        let result = Tensor(shape: [parts.reduce(0) { $0 + $1.tensor.description.count }])
        var offset = 0
        for (part, stored) in parts {
            let rows = result.rows(offset..<offset + stored.description.count)
            try rows.withMutableNumbers { (numbers: inout MutableSpan<Float>) throws(CheckpointError) in
                try stored.copy(permutation: part.permutation, into: &numbers)
            }
            offset += rows.count
        }
        return result
    }

    /// The stored numbers themselves, where they already are what the model reads.
    private static func mappedView(of parts: Parts) -> Tensor? {
        guard parts.count == 1, let (part, stored) = parts.first, part.permutation == nil else { return nil }
        return stored.mappedFloats.flatMap { Tensor(mapped: $0, shape: [stored.description.count]) }
    }
}
