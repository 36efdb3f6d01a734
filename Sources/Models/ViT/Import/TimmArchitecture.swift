import Compute

/// What the name of a timm architecture says that the shapes of its tensors do not.
struct TimmArchitecture {
    let name: String

    /// Whose recipe the name says the weights are of; nil: timm's own, or nothing is said.
    var family: Family? {
        if name.hasPrefix("deit") { return .deit }
        let tag = name.split(separator: ".").dropFirst().first ?? ""
        return tag.hasPrefix("mae") ? .mae : tag.hasPrefix("dino") ? .dinov2 : nil
    }

    /// Blocks, for the sizes that have one depth under every name.
    var depth: Int? {
        guard !["36x1", "18x2"].contains(where: { name.contains($0) }) else { return nil }
        let words = name.split(separator: "_")
        guard let first = words.first, ["vit", "deit", "deit3", "flexivit"].contains(first), words.count > 1 else {
            return nil
        }
        switch words[1] {
        case "tiny", "small", "base", "betwixt", "medium": return 12
        case "large": return 24
        case "huge": return 32
        case "giant": return 40
        case "gigantic": return 48
        default: return nil
        }
    }

    /// Heads, where they are not 64 wide, so that the width does not say.
    var heads: Int? {
        if name.hasPrefix("vit_base_patch16_gap_224") || name.hasPrefix("vit_giantopt_") { return 16 }
        if name.hasPrefix("test_vit") { return ["test_vit", "test_vit2"].contains(name) ? 2 : 3 }
        return nil
    }

    /// Whether there is a norm before the first block: in CLIP's vision towers.
    var hasPreNorm: Bool { words.contains("clip") }

    /// The approximation by a logistic function is used by OpenAI's CLIP and stated in the name, that by tanh by some SigLIP
    /// models, the exact GELU by everyone else.
    var activation: Activation {
        if name.contains("quickgelu") { return .quickGELU }
        let tanh = [
            "base_patch32_siglip", "giantopt_patch16_siglip", "large_patch16_siglip_512",
            "large_patch16_siglip_gap_512",
            "so400m_patch16_siglip",
        ]
        return tanh.contains { name.hasPrefix("vit_\($0)") } ? .geluTanh : .gelu
    }

    /// What no model of this package has, as a noun, or a part of the name that is not known; nil for plain ViTs.
    ///
    /// A tensor of its own gives most variants away; rotary positions, another activation or another order of the norms have
    /// none, so that only names whose every word is known are read.
    var unsupportedFeature: String? {
        if words.contains("rpn") { return "norms after the branches of its blocks" }
        if words.contains("rope") { return "rotary positions" }
        return words.first { !Self.isKnown($0) }.map { "a part \"\($0)\" in its name that is not known" }
    }

    /// The name without the tag of its weights, in words.
    private var words: [Substring] { (name.split(separator: ".").first ?? "").split(separator: "_") }

    /// Sizes and recipes of timm's `vision_transformer.py` and `deit.py`: what they change of the model is seen in the
    /// tensors or in the settings.
    private static let knownWords: Set<String> = [
        "vit", "deit", "deit3", "flexivit", "eva", "test", "vit2", "vit3", "vit4",
        "tiny", "xsmall", "small", "base", "betwixt", "medium", "mediumd", "large", "huge", "giant", "giantopt",
        "gigantic",
        "wee", "pwee", "dwee", "dpwee", "little", "dlittle", "so150m", "so150m2", "so400m", "intern300m", "plus",
        "18x2", "36x1", "clip", "quickgelu", "siglip", "dinov2", "tipsv2", "miil", "distilled", "gap", "map",
    ]

    private static func isKnown(_ word: Substring) -> Bool {
        if knownWords.contains(String(word)) { return true }
        let number = ["patch", "reg"].first { word.hasPrefix($0) }.map { word.dropFirst($0.count) } ?? word
        return !number.isEmpty && number.allSatisfy { $0.isASCII && $0.isNumber }
    }
}
