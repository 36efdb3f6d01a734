/// Why a checkpoint cannot classify images as requested: one sentence.
public enum ClassifierError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The checkpoint at this path has an encoder but no head.
    case noHead(path: String)
    /// The request contradicts the model: how, as a clause.
    case unfitting(String)

    /// The sentence.
    public var description: String {
        switch self {
        case .noHead(let path):
            "\(path): has no classifier head, so it computes features but no classes; fine-tune it, or use a checkpoint "
                + "that was trained to classify"
        case .unfitting(let reason): reason
        }
    }
}
