import Support

/// Why a model of the hub cannot be had: one sentence with its name, what is wrong and what would be right.
public struct HubError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of failure; a command line maps it to its exit code.
    public enum Kind: String, Sendable, Hashable {
        /// The name, or a variable of the environment, is malformed.
        case usage
        /// There is no such model, or none that may be read without permission.
        case missing
        /// The server's answer or a file of the cache makes no sense, or describes a model that cannot be read.
        case malformed
        /// The network or the disk failed.
        case inputOutput
        /// A file of the cache cannot be created.
        case cannotCreate
    }

    /// The kind of failure.
    public var kind: Kind
    /// The model, the file or the variable that the sentence is about.
    public var name: String
    /// What is wrong and what would be right, without the name.
    public var reason: String

    /// The whole sentence.
    public var description: String { "\(name): \(reason)" }

    package init(_ kind: Kind, _ name: String, _ reason: String) {
        self.kind = kind
        self.name = name
        // What a server says must not control the terminal that shows it.
        self.reason = printable(reason)
    }

    /// A failure to read or write a file of the cache.
    package init(_ error: FileError) {
        let kind: Kind =
            switch error.kind {
            case .malformed: .malformed
            case .missing: .missing
            case .inputOutput: .inputOutput
            case .cannotCreate: .cannotCreate
            }
        self.init(kind, error.path, error.reason)
    }

    /// The result of something done to files.
    static func onFiles<Result>(_ body: () throws(FileError) -> Result) throws(HubError) -> Result {
        do throws(FileError) {
            return try body()
        } catch {
            throw HubError(error)
        }
    }
}
