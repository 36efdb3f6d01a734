/// Why a checkpoint does not classify pictures as asked: one sentence.
public enum ClassifierError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The checkpoint at this path has an encoder and no head.
    case noHead(path: String)
    /// What was asked for contradicts the model: how, as a clause.
    case unfitting(String)

    /// The sentence.
    public var description: String {
        switch self {
        case .noHead(let path):
            "\(path): has no classifier head, so it gives features and no labels; fine-tune it, or use a checkpoint "
                + "that was trained to classify"
        case .unfitting(let reason): reason
        }
    }
}
