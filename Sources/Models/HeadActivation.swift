import Support

/// What makes the scores of classes out of a head's logits.
public enum HeadActivation: String, Sendable, Hashable, CaseIterable {
    /// One class an image: probabilities that sum to 1.
    case softmax
    /// Any number of classes an image: a probability for each.
    case sigmoid
    /// Values as they are, as of a regression.
    case identity = "none"

    /// What a head has where no file states it: softmax, and sigmoid for a single class, of which softmax makes 1.
    static func assumed(classCount: Int) -> HeadActivation { classCount == 1 ? .sigmoid : .softmax }

    /// What transformers' pipeline applies by the `problem_type` and the number of labels of a `config.json`.
    ///
    /// Errors: `CheckpointError` for a problem type that is unknown.
    static func stated(
        inConfiguration json: JSON, classCount: Int, path: String
    ) throws(CheckpointError) -> HeadActivation {
        guard let type = json["problem_type"] else { return assumed(classCount: classCount) }
        switch type.string {
        case "single_label_classification": return assumed(classCount: classCount)
        case "multi_label_classification": return .sigmoid
        case "regression": return .identity
        default:
            throw .malformed(
                path,
                "states a problem_type of \(type.text(compact: true)); single_label_classification, "
                    + "multi_label_classification and regression are known")
        }
    }

    /// The `problem_type` that states this activation.
    var problemType: JSON.Member {
        let type =
            switch self {
            case .softmax: "single_label_classification"
            case .sigmoid: "multi_label_classification"
            case .identity: "regression"
            }
        return JSON.Member("problem_type", .string(type))
    }
}

extension Checkpoint {
    /// What makes scores of the head's logits: as the files state, or as is assumed.
    public var headActivation: HeadActivation { activation ?? .assumed(classCount: configuration.classCount) }

    /// What was assumed of the head, a sentence; nil where the files state it or there is no head.
    package var activationAssumption: String? {
        let count = configuration.classCount
        guard activation == nil, count > 0 else { return nil }
        return count == 1
            ? "Sigmoid for the only class."
            : "Softmax over the classes; --activation sigmoid is for heads trained with binary cross-entropy."
    }
}
