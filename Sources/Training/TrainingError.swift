/// Why a run cannot begin or continue: one sentence for people.
public struct TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What sort of failure it is; a command line maps it to its exit code.
    public enum Kind: Sendable, Hashable {
        /// An option that makes no sense, alone or with the others.
        case usage
        /// The data or the run's files are not what they should be, or the loss is no number any more.
        case malformed
        /// Nothing to continue from.
        case missing
        /// The run's directory cannot be made, or holds another run.
        case cannotCreate
        /// The system could not read or write.
        case inputOutput
    }

    /// What sort of failure it is.
    public let kind: Kind
    /// What is wrong and what would be right.
    public let description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
