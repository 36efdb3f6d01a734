import Compute

/// All trained tensors of a model in one arena, and their gradients in another of the same layout.
///
/// One optimiser loop, one all-reduce and one file then serve for the whole model. Each entry starts on a cache line;
/// what lies between entries stays zero.
public final class ParameterStore: ParameterSource, Sendable {
    /// Where a tensor lies in the arenas.
    public struct Entry: Sendable {
        /// The canonical name.
        public let name: String
        /// The extent of each dimension.
        public let shape: [Int]
        /// The first element, counted in floats.
        public let offset: Int
        /// The number of elements.
        public let count: Int
        /// Whether weight decay acts on it: on matrices and tokens, not on biases, norms and other vectors.
        public let decays: Bool
    }

    /// The tensors in forward order.
    public let entries: [Entry]
    /// The arena of weights.
    package let weights: Tensor
    /// The arena of gradients.
    package let gradients: Tensor
    private let indices: [String: Int]

    /// An arena of zeros for tensors of the given names and shapes.
    package init(_ shapes: [(name: String, shape: [Int])]) {
        var entries: [Entry] = []
        var offset = 0
        for (name, shape) in shapes {
            let count = shape.reduce(1, *)
            entries.append(Entry(name: name, shape: shape, offset: offset, count: count, decays: shape.count > 1))
            offset += (count + 15) / 16 * 16
        }
        self.entries = entries
        indices = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.name, $0) })
        weights = Tensor(shape: [offset])
        gradients = Tensor(shape: [offset])
    }

    /// The number of trained numbers, without the gaps between entries.
    public var parameterCount: Int { entries.reduce(0) { $0 + $1.count } }

    /// The tensor under `name`: a view of both arenas.
    package func parameter(_ name: String) throws -> Parameter {
        parameter(try entry(name))
    }

    /// Where the tensor under `name` lies.
    package func entry(_ name: String) throws -> Entry {
        guard let index = indices[name] else { throw UnknownParameter(name: name) }
        return entries[index]
    }

    /// The tensor of `entries[index]`.
    package func parameter(at index: Int) -> Parameter { parameter(entries[index]) }

    private func parameter(_ entry: Entry) -> Parameter {
        Parameter(
            value: weights.view(at: entry.offset, entry.shape),
            gradient: gradients.view(at: entry.offset, entry.shape))
    }

    package func didPack(_ name: String) {}

    /// Whether there is a tensor of that name.
    package func contains(_ name: String) -> Bool { indices[name] != nil }
}

/// A model asked for a tensor that its store does not have.
public struct UnknownParameter: Error, CustomStringConvertible {
    /// The name it asked for.
    public let name: String
    /// What is wrong, in a sentence.
    public var description: String { "the model has no parameter named \(name)" }
}
