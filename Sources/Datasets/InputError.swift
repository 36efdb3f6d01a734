import Support

/// A path that gives no image or no data set: which one, of what kind the trouble is, and one sentence for people.
public struct InputError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong, as far as a program cares.
    public enum Kind: Equatable, Sendable {
        /// An option that does not suit these data (sysexits: 64).
        case usage
        /// The data are not what they should be (sysexits: 65).
        case malformed
        /// Nothing is there under that name (sysexits: 66).
        case noSuchInput
        /// A directory, list or table without a single image (sysexits: 66).
        case noImages
        /// It is there, but the system does not let us read it (sysexits: 74).
        case unreadable
    }

    /// What is wrong, as far as a program cares.
    public let kind: Kind
    /// The path as it was given or found.
    public let path: String
    /// One sentence that names the path, what is wrong and what would be right.
    public let description: String

    /// The same without the path, for a report that has the path in a place of its own.
    public var reason: String {
        let start = "\(path): "
        return description.hasPrefix(start) ? String(description.dropFirst(start.count)) : description
    }
}

extension InputError {
    /// A file that was read, and what is wrong with it, as a clause.
    package static func malformed(_ path: String, _ reason: String) -> InputError {
        InputError(kind: .malformed, path: path, description: "\(path): \(reason)")
    }
}

extension InputError {
    /// A failure to open `path`, where `expected` should have been.
    package init(_ error: SystemError, opening path: String, expected: String) {
        if error.isMissing {
            self.init(
                kind: .noSuchInput, path: path,
                description: "\(path): no such file or directory; expected \(expected)")
        } else {
            self.init(kind: .unreadable, path: path, description: "\(path): cannot be read: \(error.clause)")
        }
    }

    /// A file or directory below an argument that could not be looked at.
    init(_ failure: DirectoryWalk.Failure) {
        self.init(
            kind: .unreadable, path: failure.path, description: "\(failure.path): cannot be read: \(failure.reason)")
    }
}
