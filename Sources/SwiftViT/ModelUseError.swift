/// Why a model cannot be used as requested: one sentence.
public enum ModelUseError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The checkpoint at this path has an encoder but no head.
    case noHead(path: String)
    /// The checkpoint at this path has an encoder but no decoder.
    case noDecoder(path: String)
    /// The checkpoint at this path has no text tower.
    case noTextTower(path: String)
    /// The checkpoint at this path classifies by words, and none were given.
    case noClasses(path: String)
    /// The request contradicts the model, or the output: how.
    case unfitting(String)

    /// The sentence.
    public var description: String {
        switch self {
        case .noHead(let path):
            "\(path): has no classifier head, so it computes features but no classes; fine-tune it, or use a checkpoint "
                + "that was trained to classify"
        case .noDecoder(let path):
            "\(path): has an encoder but no decoder, so it cannot reconstruct images; use a complete masked autoencoder, "
                + "such as the result of vit pretrain, transformers' ViTMAEForPreTraining or the authors' mae_visualize_…"
        case .noTextTower(let path):
            "\(path): has no text tower, so it cannot compare images with words; use a CLIP or SigLIP checkpoint with both towers"
        case .noClasses(let path):
            "\(path): tells classes apart by words; name them, as in --classes \"a cat\" \"a dog\", or one a line in --labels FILE"
        case .unfitting(let reason): reason
        }
    }
}
