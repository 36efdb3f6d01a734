import LibC
import Support

/// A path that yields no image or data set: the path, the kind of error, and one sentence for people.
public struct InputError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kind of error.
    public enum Kind: Equatable, Sendable {
        /// An option that does not fit the data (sysexits: 64).
        case usage
        /// Malformed data (sysexits: 65).
        case malformed
        /// No such file or directory (sysexits: 66).
        case noSuchInput
        /// A directory, list or table without images (sysexits: 66).
        case noImages
        /// It exists, but cannot be read (sysexits: 74).
        case unreadable
    }

    /// The kind of error.
    public let kind: Kind
    /// The path as given or found.
    public let path: String
    /// One sentence: the path, what is wrong and what would be right.
    public let description: String

    /// The description without the path, for reports that show the path separately.
    public var reason: String {
        let start = "\(path): "
        return description.hasPrefix(start) ? String(description.dropFirst(start.count)) : description
    }
}

extension InputError {
    package init(_ kind: Kind, path: String, description: String) {
        self.init(kind: kind, path: path, description: description)
    }

    /// A malformed file; `reason` is a clause.
    package static func malformed(_ path: String, _ reason: String) -> InputError {
        InputError(kind: .malformed, path: path, description: "\(path): \(reason)")
    }
}

extension InputError {
    /// A failure to open `path`, which should be `expected`.
    package init(_ error: SystemError, opening path: String, expected: String) {
        if error.isMissing {
            self.init(
                kind: .noSuchInput, path: path,
                description: "\(path): \(error.absence); expected \(expected)")
        } else if error == .isNoFile {
            self = .malformed(path, "is not a regular file or a pipe; expected \(expected)")
        } else if error.code == EFBIG {
            self = .malformed(path, "is too large; expected \(expected)")
        } else {
            self.init(kind: .unreadable, path: path, description: "\(path): cannot be read: \(error.clause)")
        }
    }

    /// The same failure of a file that is no image or data set.
    package init(_ error: FileError) {
        let kind: Kind =
            switch error.kind {
            case .malformed: .malformed
            case .missing: .noSuchInput
            case .inputOutput, .cannotCreate: .unreadable
            }
        self.init(kind: kind, path: error.path, description: error.description)
    }

    /// A file or directory below an argument that could not be examined.
    init(_ failure: DirectoryWalk.Failure) {
        self.init(
            kind: .unreadable, path: failure.path, description: "\(failure.path): cannot be read: \(failure.reason)")
    }
}
