import Compute

/// How a canonical tensor is made from stored ones.
struct TensorRecipe: Sendable {
    var shape: [Int]
    var parts: [(part: TensorPart, tensor: StoredTensor)]

    /// The tensor: a view of the mapped file, or a converted copy.
    func make() throws(CheckpointError) -> Tensor {
        if let view = mappedView { return view }
        let result = Tensor(shape: shape)
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

    func releasePages() {
        guard mappedView != nil else { return }
        for case .mapped(let bytes) in parts.map(\.tensor.source) { bytes.releasePages() }
    }

    /// The stored numbers themselves, where they already are what the model reads.
    private var mappedView: Tensor? {
        guard parts.count == 1, let (part, stored) = parts.first, case .mapped(let bytes) = stored.source,
            part.permutation == nil, stored.strides == nil, stored.description.type == .float32,
            bytes.start % MemoryLayout<Float>.alignment == 0
        else { return nil }
        return Tensor(storage: bytes.storage, offset: bytes.start / MemoryLayout<Float>.stride, shape: shape)
    }
}
