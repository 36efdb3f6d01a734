/// Where a layout of two towers keeps the tensors that this package knows by timm's names, those of a text tower behind
/// `text.`.
struct TowerNames: TensorNames {
    /// Whose names the vision tower's are.
    enum Vision: Sendable {
        case transformers
        case openCLIP
        /// A model of timm, in OpenCLIP.
        case timm
    }

    var vision: Vision
    /// What stands before the vision tower's names.
    var visionPrefix: String
    /// What stands before the text tower's names; nil: there is no text tower.
    var textPrefix: String?
    /// Whether the text tower's projection is a linear layer, with its weight (outputs, inputs), rather than a matrix (inputs,
    /// outputs).
    var hasLinearTextProjection = false
    /// Whether the projection of texts is a part of the text tower (SigLIP in transformers).
    var hasTextHead = false
    /// Whether a head of classes reads the vision tower (transformers alone).
    var isClassifier = false

    var layout: Layout { vision == .transformers ? .huggingFace : .openCLIP }

    func parts(of canonical: String) -> [TensorPart] {
        guard ![TwoTowerConfiguration.logitScale, TwoTowerConfiguration.logitBias].contains(canonical) else {
            return [TensorPart(canonical)]
        }
        let isText = canonical.hasPrefix(TextTowerConfiguration.prefix)
        let own = isText ? String(canonical.dropFirst(TextTowerConfiguration.prefix.count)) : canonical
        let name = CanonicalName(own)
        switch (vision, isText) {
        case (.timm, false):
            return [TensorPart(own == "projection.weight" ? "visual.head.proj.weight" : visionPrefix + own)]
        case (.transformers, _): return transformersNames(name, isText: isText).map { TensorPart($0) }
        default: return [openCLIPPart(name, isText: isText)]
        }
    }

    /// How a parameter is stored: some shapes and divisions are others.
    func stored(_ parameter: ParameterShape, in tensors: [String: [Int]]) -> StoredParameter {
        let (name, shape) = (parameter.name, parameter.shape)
        func stored(_ shape: [Int]) -> StoredParameter {
            StoredParameter(parameter, stored: ParameterShape(name, shape))
        }
        if [TwoTowerConfiguration.logitScale, TwoTowerConfiguration.logitBias].contains(name) {
            return stored(tensors[name] == [] ? [] : [1])
        }
        guard vision != .timm, !name.hasPrefix(TextTowerConfiguration.prefix) else { return StoredParameter(parameter) }
        if name == "cls_token" || name == "pos_embed" {
            return stored(Array(shape.dropFirst(name == "cls_token" ? 2 : 1)))
        }
        for part in ["q", "kv"] where name.hasPrefix("attn_pool.\(part).") {
            // Queries, keys and values lie in one tensor.
            let width = shape[0] / (part == "q" ? 1 : 2)
            let whole = [3 * width] + shape.dropFirst()
            var stored = StoredParameter(
                parameter,
                stored: ParameterShape("attn_pool.in_proj.\(name.hasSuffix("weight") ? "weight" : "bias")", whole))
            stored.skippedCount = part == "q" ? 0 : shape.reduce(1, *) / 2
            return stored
        }
        return StoredParameter(parameter)
    }

    /// What stands before a block's number.
    func blockStart(isText: Bool) -> String {
        let prefix = isText ? textPrefix ?? "" : visionPrefix
        switch vision {
        case .transformers: return prefix + "encoder.layers."
        case .timm where !isText: return prefix + "blocks."
        case .openCLIP, .timm: return prefix + "transformer.resblocks."
        }
    }

    /// Why a stored tensor may stand unused; nil where it may not.
    func reasonToIgnore(_ stored: String) -> String? {
        if stored.hasSuffix("position_ids") { return "a numbering of positions, not a weight" }
        if stored.hasSuffix("attn_mask") { return "the causal mask, not a weight" }
        if isClassifier, stored.hasPrefix(visionPrefix + "head.") {
            return "attention pooling, which the head of a classifier does not read"
        }
        if isClassifier, stored.hasPrefix(visionPrefix + "post_layernorm.") {
            return "the norm of the class token, which the head of a classifier does not read"
        }
        if ["input_resolution", "context_length", "vocab_size"].contains(stored) { return "a size, not a weight" }
        return nil
    }
}
