/// Where a layout keeps the tensors that this package knows by timm's names.
struct KeyMap: TensorNames {
    /// Whose names these are.
    var layout: Layout
    /// What stands before the encoder's names: `vit.`, `opt/target/`, or nothing.
    var prefix = ""
    /// What stands before a block's number, without `prefix`.
    var blockPrefix = "blocks."
    /// Whether `prefix` stands before `blockPrefix` too; not in what transformers 5 writes of ViTMSN.
    var blocksHavePrefix = true
    /// What stands before a decoder block's number.
    var decoderBlockPrefix = "decoder_blocks."
    /// Which of several spellings of one layout is used.
    var spelling: [String: String] = [:]

    func parts(of canonical: String) -> [TensorPart] {
        let name = CanonicalName(canonical)
        switch layout {
        case .timm, .deit, .mae, .dinov2: return [TensorPart(timmName(canonical, name))]
        case .huggingFace, .huggingFaceModern: return huggingFaceNames(name).map { TensorPart($0) }
        case .jax: return jaxParts(name)
        case .openCLIP: preconditionFailure("KeyMap: OpenCLIP's names are those of TowerNames")
        }
    }

    /// What stands before a block's number.
    var blockStart: String { blocksHavePrefix ? prefix + blockPrefix : blockPrefix }

    /// The number of the block that a stored tensor belongs to.
    func blockIndex(of stored: String) -> Int? {
        Self.index(of: stored, after: blockStart)
    }

    /// The number of the decoder block that a stored tensor belongs to.
    func decoderBlockIndex(of stored: String) -> Int? {
        Self.index(of: stored, after: decoderBlockPrefix)
    }

    private static func index(of stored: String, after prefix: String) -> Int? {
        guard stored.hasPrefix(prefix) else { return nil }
        let digits = stored.dropFirst(prefix.count).prefix { $0.isNumber && $0.isASCII }
        return Int(digits)
    }

    private func timmName(_ canonical: String, _ name: CanonicalName) -> String {
        if case .block(let index) = name.place, name.suffix == "gamma", let field = spelling[name.field] {
            return "\(prefix)blocks.\(index).\(field)"
        }
        return prefix + (spelling[canonical] ?? canonical)
    }
}
