import TensorFiles

/// The names that a layout gives the tensors that this package knows by names of its own.
protocol TensorNames: Sendable {
    /// The stored tensors that make up `canonical`, in the order of its rows.
    func parts(of canonical: String) -> [TensorPart]
}

/// A stored tensor that is one canonical tensor, or the next rows of it.
struct TensorPart: Sendable {
    /// The stored name.
    var name: String
    /// The stored dimension that each dimension is taken from; nil leaves the order.
    var permutation: [Int]?
    /// How many neighbouring dimensions are merged into each one afterwards; nil merges none.
    var merging: [Int]?

    init(_ name: String, permutation: [Int]? = nil, merging: [Int]? = nil) {
        self.name = name
        self.permutation = permutation
        self.merging = merging
    }

    /// The shape after permuting and merging a tensor of `stored`; nil where its number of dimensions is another.
    func shape(of stored: [Int]) -> [Int]? {
        var shape = stored
        if let permutation {
            guard permutation.count == stored.count else { return nil }
            shape = permutation.map { stored[$0] }
        }
        guard let merging else { return shape }
        guard merging.reduce(0, +) == shape.count else { return nil }
        var merged: [Int] = []
        for count in merging {
            guard let extent = elementCount(Array(shape.prefix(count))) else { return nil }
            merged.append(extent)
            shape.removeFirst(count)
        }
        return merged
    }
}
