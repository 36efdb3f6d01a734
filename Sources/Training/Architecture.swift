/// The encoders that have a name.
///
/// Sources: Touvron et al. 2021 (DeiT), table 1, for tiny and small; Dosovitskiy et al. 2021 (ViT), table 1, for the
/// rest; the patch of 14 for huge as He et al. 2022 use it.
public enum Architecture: String, Sendable, Hashable, CaseIterable {
    case tiny = "vit-tiny"
    case small = "vit-small"
    case base = "vit-base"
    case large = "vit-large"
    case huge = "vit-huge"

    /// Width, depth, heads and patch.
    public var shape: (width: Int, depth: Int, heads: Int, patch: Int) {
        switch self {
        case .tiny: (192, 12, 3, 16)
        case .small: (384, 12, 6, 16)
        case .base: (768, 12, 12, 16)
        case .large: (1024, 24, 16, 16)
        case .huge: (1280, 32, 16, 14)
        }
    }
}
