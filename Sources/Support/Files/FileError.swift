import LibC

/// Why a file cannot be read or written: one sentence with the file, what is wrong and what would be right.
public struct FileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of failure; a command line maps it to its exit code.
    public enum Kind: String, Sendable, Hashable {
        /// The content breaks its format, or describes something that this package does not know.
        case malformed
        /// There is no such file.
        case missing
        /// The system could not read or write.
        case inputOutput
        /// The output cannot be created where it was asked for.
        case cannotCreate
    }

    /// The kind of failure.
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
        // Names from a hostile file must not control the terminal that shows them.
        self.reason = printable(reason)
    }

    /// `clause` about `path`, with the system's reason.
    package init(_ kind: Kind, _ path: String, _ clause: String, _ error: SystemError) {
        self.init(kind, path, "\(clause): \(error)")
    }

    /// A failure to open `path` for reading, where `expected` should be.
    package init(opening path: String, expected: String, _ error: SystemError) {
        if error.isMissing {
            self.init(.missing, path, "\(error.absence); expected \(expected)")
        } else if error == .isNoFile || error.code == EISDIR {
            self.init(.malformed, path, "is not a regular file; expected \(expected)")
        } else if error.code == EFBIG {
            self.init(.malformed, path, "is too large; expected \(expected)")
        } else {
            self.init(.inputOutput, path, "cannot be read: \(error.clause)")
        }
    }

    /// A file that was read, and what is wrong with it.
    package static func malformed(_ path: String, _ reason: String) -> FileError {
        FileError(.malformed, path, reason)
    }
}
