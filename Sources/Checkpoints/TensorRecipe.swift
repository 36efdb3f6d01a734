import Compute

/// How a canonical tensor is made from stored ones.
struct TensorRecipe: Sendable {
    var shape: [Int]
    var parts: [(part: TensorPart, tensor: StoredTensor)]
    /// How many numbers of the parts stand before the first that is used.
    var skippedCount = 0
    /// Parts whose numbers, from `first` on, are added.
    var addition: (parts: [(part: TensorPart, tensor: StoredTensor)], first: Int)?

    /// The tensor: a view of the mapped file, or a converted copy.
    func make() throws(CheckpointError) -> Tensor {
        let whole = try Self.numbers(of: parts)
        let tensor = Tensor(storage: whole.storage, offset: whole.offset + skippedCount, shape: shape)
        guard let addition else { return tensor }
        let others = try Self.numbers(of: addition.parts).values.dropFirst(addition.first)
        return Tensor(zip(tensor.values, others).map { $0 + $1 }, shape: shape)
    }

    /// Gives back the memory of numbers that are used where they lie.
    func releasePages() {
        guard Self.mappedView(of: parts) != nil else { return }
        for case .mapped(let bytes) in parts.map(\.tensor.source) { bytes.releasePages() }
    }

    /// The numbers of all parts, one after the other.
    private static func numbers(
        of parts: [(part: TensorPart, tensor: StoredTensor)]
    ) throws(CheckpointError) -> Tensor {
        if let view = mappedView(of: parts) { return view }
        let result = Tensor(shape: [parts.reduce(0) { $0 + $1.tensor.description.count }])
        var offset = 0
        for (part, stored) in parts {
            let strided = stored.strided(permutation: part.permutation)
            let bytes = try stored.bytes()
            unsafe strided.copy(from: bytes, to: result.pointer + offset)
            offset += strided.count
            if case .mapped = stored.source { bytes.releasePages() }
        }
        return result
    }

    /// The stored numbers themselves, where they already are what the model reads.
    private static func mappedView(of parts: [(part: TensorPart, tensor: StoredTensor)]) -> Tensor? {
        guard parts.count == 1, let (part, stored) = parts.first, case .mapped(let bytes) = stored.source,
            part.permutation == nil, stored.strides == nil, stored.description.type == .float32,
            bytes.start % MemoryLayout<Float>.alignment == 0
        else { return nil }
        return Tensor(
            storage: bytes.storage, offset: bytes.start / MemoryLayout<Float>.stride, shape: [stored.description.count])
    }
}
