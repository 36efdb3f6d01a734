/// Why a checkpoint does not reconstruct pictures as asked: one sentence.
public enum ReconstructionError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The checkpoint at this path has no decoder.
    case noDecoder(path: String)
    /// What was asked for contradicts the model: how, as a clause.
    case unfitting(String)

    /// The sentence.
    public var description: String {
        switch self {
        case .noDecoder(let path):
            "\(path): has an encoder and no decoder, so it cannot reconstruct pictures; use a whole masked autoencoder, "
                + "such as the result of vit pretrain, transformers' ViTMAEForPreTraining or the authors' mae_visualize_…"
        case .unfitting(let reason): reason
        }
    }
}
