/// Why a checkpoint cannot be read or written: one sentence with the file, what is wrong and what would be right.
public struct CheckpointError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What sort of failure it is; a command line maps it to its exit code.
    public enum Kind: String, Sendable, Hashable {
        /// The data breaks its format, or describes a model that this package does not know.
        case malformed
        /// There is no such file.
        case missing
        /// The system could not read or write.
        case inputOutput
        /// The output cannot be made where it was asked for.
        case cannotCreate
    }

    /// What sort of failure it is.
    public var kind: Kind
    /// The file or directory that the sentence is about.
    public var path: String
    /// What is wrong and what would be right, without the file.
    public var reason: String

    /// The whole sentence.
    public var description: String { "\(path): \(reason)" }

    package init(_ kind: Kind, _ path: String, _ reason: String) {
        self.kind = kind
        self.path = path
        // Names from a hostile file must not steer the terminal that shows them.
        self.reason = String(
            String.UnicodeScalarView(reason.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : $0 }))
    }

    static func malformed(_ path: String, _ reason: String) -> CheckpointError {
        CheckpointError(.malformed, path, reason)
    }
}
