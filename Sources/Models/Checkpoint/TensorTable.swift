import TensorFiles

/// The tensors of a checkpoint, found by the names that this package uses.
struct TensorTable<Names: TensorNames>: Sendable {
    let path: String
    let names: Names
    /// By stored name, without what a training script put before all names.
    let tensors: [String: StoredTensor]

    /// The parts of a canonical tensor as they are stored; nil where one is missing.
    func parts(of canonical: String) -> [(part: TensorPart, tensor: StoredTensor)]? {
        var found: [(TensorPart, StoredTensor)] = []
        for part in names.parts(of: canonical) {
            guard let tensor = tensors[part.name] else { return nil }
            found.append((part, tensor))
        }
        return found
    }

    func contains(_ canonical: String) -> Bool { parts(of: canonical) != nil }

    /// The shape that a canonical tensor has in this checkpoint; nil where it, or a part of it, is missing.
    func shape(of canonical: String) -> [Int]? {
        guard let parts = parts(of: canonical) else { return nil }
        var whole: [Int]?
        for (part, tensor) in parts {
            guard let shape = part.shape(of: tensor.shape) else { return tensor.shape }
            guard let above = whole else {
                whole = shape
                continue
            }
            guard let rows = above.first, let more = shape.first, above.dropFirst() == shape.dropFirst() else {
                return shape
            }
            whole = [rows &+ more] + shape.dropFirst()
        }
        return whole
    }

    /// The extent of one dimension of a canonical tensor, 1 or more.
    func extent(_ dimension: Int, of canonical: String) throws(CheckpointError) -> Int {
        guard let shape = shape(of: canonical) else {
            throw .malformed(path, "lacks \(names.parts(of: canonical).map(\.name).joined(separator: ", "))")
        }
        guard dimension < shape.count, shape[dimension] > 0, shape[dimension] <= TensorExtent.largest else {
            throw .malformed(path, "\(canonical) has the impossible shape \(shape)")
        }
        return shape[dimension]
    }

    /// One more than the highest number that `index` finds in a stored name.
    func count(_ index: (String) -> Int?) -> Int {
        let highest = tensors.keys.compactMap(index).max() ?? -1
        // A number beyond the number of tensors cannot belong to a row without gaps.
        return min(highest, tensors.count) + 1
    }
}

extension TensorTable {
    init(_ files: CheckpointFiles, names: Names) throws(CheckpointError) {
        self.init(path: files.weights.path, names: names, tensors: try files.tensors())
    }
}

enum TensorExtent {
    /// Beyond any real model, and small enough that products of three stay in 64 bits.
    static let largest = 1 << 20
}
