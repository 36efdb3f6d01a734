/// Who named and arranged the tensors of a checkpoint.
public enum Layout: String, Sendable, Hashable, CaseIterable {
    /// timm's names, which this package uses inside.
    case timm
    /// timm's names as the authors of DeiT and DeiT III publish them.
    case deit
    /// timm's names as the authors of MAE publish them; with or without the decoder.
    case mae
    /// The names of DINOv2's authors.
    case dinov2
    /// transformers' names up to version 4, which version 5 still writes.
    case huggingFace = "hf"
    /// The names of transformers 5 (`q_proj`, `mlp.fc1`).
    case huggingFaceModern = "hf-5"
    /// The names of Google's JAX releases, with transposed kernels.
    case jax
    /// The names of OpenAI's CLIP and of OpenCLIP.
    case openCLIP = "open_clip"

    /// The layout in words.
    public var summary: String {
        switch self {
        case .timm: "timm"
        case .deit: "DeiT, as its authors publish it"
        case .mae: "MAE, as its authors publish it"
        case .dinov2: "DINOv2, as its authors publish it"
        case .huggingFace: "Hugging Face transformers"
        case .huggingFaceModern: "Hugging Face transformers, names of version 5"
        case .jax: "Google's JAX release"
        case .openCLIP: "OpenCLIP"
        }
    }

    var isHuggingFace: Bool { self == .huggingFace || self == .huggingFaceModern }
}
