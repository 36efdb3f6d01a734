/// A tensor's name in timm's layout, taken apart: `blocks.3.attn.qkv.weight` is the weight of `attn.qkv` in block 3.
struct CanonicalName {
    /// What the tensor belongs to.
    enum Place: Hashable {
        case model
        case block(Int)
        case decoderBlock(Int)
    }

    var place: Place
    /// `attn.qkv`, `norm`, `cls_token`.
    var field: String
    /// `weight`, `bias`, `gamma`, or empty for a bare tensor.
    var suffix: String

    init(_ name: String) {
        var parts = name.split(separator: ".")[...]
        place = .model
        if parts.count > 2, let index = Int(parts[parts.startIndex + 1]) {
            if parts.first == "blocks" { place = .block(index) }
            if parts.first == "decoder_blocks" { place = .decoderBlock(index) }
            if place != .model { parts = parts.dropFirst(2) }
        }
        if parts.count > 1, let last = parts.last, ["weight", "bias", "gamma"].contains(last) {
            suffix = String(last)
            parts = parts.dropLast()
        } else {
            suffix = ""
        }
        field = parts.joined(separator: ".")
    }
}
