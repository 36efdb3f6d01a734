import Compute

/// A tensor as it lies in a file: what `inspect` shows of it.
public struct TensorDescription: Sendable, Hashable {
    /// The name in the file.
    public var name: String
    /// The type of its numbers.
    public var type: ElementType
    /// The extent of each dimension, outermost first.
    public var shape: [Int]

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }
    /// The size of the numbers in bytes.
    public var byteCount: Int { count * type.size }
}

/// A described tensor together with the place of its numbers.
struct StoredTensor: Sendable {
    /// Where the numbers are.
    enum Source: Sendable {
        /// In a mapped file, as they are.
        case mapped(Bytes)
        /// In a deflated entry of an archive, from this byte of its content on.
        case deflated(ZipEntry, offset: Int)
    }

    var description: TensorDescription
    /// The distance between neighbours along each dimension, in elements; nil where the order is row-major.
    var strides: [Int]?
    var source: Source
    /// The file, for messages.
    var path: String

    var name: String { description.name }
    var shape: [Int] { description.shape }

    /// The mapped bytes, inflated where necessary.
    func bytes() throws(CheckpointError) -> Bytes {
        switch source {
        case .mapped(let bytes): return bytes
        case .deflated(let entry, let offset):
            let content = try entry.content()
            guard let bytes = content.slice(offset, content.count - offset) else {
                throw .malformed(path, "\(name) starts beyond the end of its archive entry")
            }
            return bytes
        }
    }
}

/// All tensors of a checkpoint and what its files say about themselves.
struct WeightsFile: Sendable {
    /// How the tensors are packed.
    enum Container: String, Sendable {
        case safetensors
        case torch = "PyTorch"
        case numpy = "NumPy"
    }

    var path: String
    var container: Container
    var tensors: [StoredTensor]
    /// The entry of the outermost dictionary that holds the tensors (`model`, `state_dict`), where there is one.
    var wrapper: String?
    /// The architecture that a training script noted beside the tensors.
    var architecture: String?
    /// Whether a masked autoencoder was trained on normalised pixels, where a training script noted it.
    var normalizesTarget: Bool?
    /// The number of files.
    var fileCount = 1
}

/// The number of elements of `shape`, or nil where it overflows.
func elementCount(_ shape: [Int]) -> Int? {
    var count = 1
    for extent in shape {
        let (product, overflow) = count.multipliedReportingOverflow(by: extent)
        guard extent >= 0, !overflow else { return nil }
        count = product
    }
    return count
}
