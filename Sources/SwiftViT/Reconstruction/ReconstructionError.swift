/// Why a checkpoint cannot reconstruct images as requested: one sentence.
public enum ReconstructionError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The checkpoint at this path has no decoder.
    case noDecoder(path: String)
    /// The request contradicts the model: how, as a clause.
    case unfitting(String)

    /// The sentence.
    public var description: String {
        switch self {
        case .noDecoder(let path):
            "\(path): has an encoder but no decoder, so it cannot reconstruct images; use a complete masked autoencoder, "
                + "such as the result of vit pretrain, transformers' ViTMAEForPreTraining or the authors' mae_visualize_…"
        case .unfitting(let reason): reason
        }
    }
}
