/// The names that OpenMMLab's programs (mmpretrain, mmselfsup) give a Vision Transformer, and timm's for them.
///
/// Source: `mmpretrain/models/backbones/vision_transformer.py`.
enum MMPretrainNames {
    /// The tensor that shows this layout.
    static let anchor = "patch_embed.projection.weight"

    /// What begins a name, and what timm has in its place.
    private static let replacements: [(String, String)] = [
        ("patch_embed.projection.", "patch_embed.proj."), ("ln1.", "norm."), ("ln2.", "fc_norm."),
        ("head.layers.head_dist.", "head_dist."), ("head.layers.head.", "head."),
    ]
    /// The same behind the number of a block.
    private static let blockReplacements: [(String, String)] = [
        ("ln1.", "norm1."), ("ln2.", "norm2."), ("ffn.layers.0.0.", "mlp.fc1."), ("ffn.layers.1.", "mlp.fc2."),
        ("attn.gamma1.weight", "ls1.gamma"), ("ffn.gamma2.weight", "ls2.gamma"),
    ]

    /// timm's names in place of `names`, where these are of this layout; all others as they are.
    static func translated(_ names: [String]) -> [String] {
        guard names.contains(where: { $0 == anchor || $0 == "backbone." + anchor }) else { return names }
        return names.map { timmName(String($0.hasPrefix("backbone.") ? $0.dropFirst("backbone.".count) : $0[...])) }
    }

    private static func timmName(_ name: String) -> String {
        let parts = name.split(separator: ".", maxSplits: 2)
        guard parts.count == 3, parts[0] == "layers", Int(parts[1]) != nil else {
            return replacing(replacements, in: name)
        }
        return "blocks.\(parts[1])." + replacing(blockReplacements, in: String(parts[2]))
    }

    private static func replacing(_ replacements: [(String, String)], in name: String) -> String {
        guard let (old, new) = replacements.first(where: { name.hasPrefix($0.0) }) else { return name }
        return new + name.dropFirst(old.count)
    }
}
