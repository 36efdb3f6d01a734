import TensorFiles

/// The tensors of a checkpoint, found by the names that this package uses.
struct TensorTable: Sendable {
    let path: String
    let keyMap: KeyMap
    /// By stored name, without what a training script put before all names.
    let tensors: [String: StoredTensor]

    /// The parts of a canonical tensor as they are stored; nil where one is missing.
    func parts(of canonical: String) -> [(part: TensorPart, tensor: StoredTensor)]? {
        var found: [(TensorPart, StoredTensor)] = []
        for part in keyMap.parts(of: canonical) {
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
            throw .malformed(path, "lacks \(keyMap.parts(of: canonical).map(\.name).joined(separator: ", "))")
        }
        guard dimension < shape.count, shape[dimension] > 0, shape[dimension] <= Self.largestExtent else {
            throw .malformed(path, "\(canonical) has the impossible shape \(shape)")
        }
        return shape[dimension]
    }

    /// Beyond any real model, and small enough that products of three stay in 64 bits.
    static let largestExtent = 1 << 20

    /// One more than the highest number of a block.
    var depth: Int { count { keyMap.blockIndex(of: $0) } }

    /// One more than the highest number of a decoder block.
    var decoderDepth: Int { count { keyMap.decoderBlockIndex(of: $0) } }

    private func count(_ index: (String) -> Int?) -> Int {
        let highest = tensors.keys.compactMap(index).max() ?? -1
        // A number beyond the number of tensors cannot belong to a row without gaps.
        return min(highest, tensors.count) + 1
    }
}

extension TensorTable {
    /// What training scripts put before all names.
    private static let wrappings = ["module.", "_orig_mod.", "timm_model.", "model.", "backbone.", "encoder."]

    init(_ weights: TensorFile) throws(CheckpointError) {
        var names = weights.tensors.map(\.name)
        while let wrapping = Self.wrappings.first(where: { prefix in names.allSatisfy { $0.hasPrefix(prefix) } }),
            !names.isEmpty
        {
            names = names.map { String($0.dropFirst(wrapping.count)) }
        }
        if let feature = KeyMap.unsupportedFeature(names: names) {
            throw .malformed(weights.path, "holds a model with \(feature), which is not supported")
        }
        guard let keyMap = KeyMap.detect(names: names, wrapper: weights.wrapper) else {
            let first = names.prefix(3).joined(separator: ", ")
            throw .malformed(
                weights.path,
                names.isEmpty
                    ? "holds no tensors"
                    : "has the layout of no Vision Transformer that can be read; its tensors begin \(first)")
        }
        var tensors: [String: StoredTensor] = [:]
        for (name, tensor) in zip(names, weights.tensors) {
            guard tensors.updateValue(tensor, forKey: name) == nil else {
                throw .malformed(weights.path, "holds \(tensor.name) twice")
            }
        }
        self.init(path: weights.path, keyMap: keyMap, tensors: tensors)
    }
}
