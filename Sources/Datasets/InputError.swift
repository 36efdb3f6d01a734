/// A path that gives no image: which one, of what kind the trouble is, and one sentence for people.
public struct InputError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong, as far as a program cares.
    public enum Kind: Equatable, Sendable {
        /// Nothing is there under that name (sysexits: 66).
        case noSuchInput
        /// A directory or list without a single image (sysexits: 66).
        case noImages
        /// It is there, but the system does not let us read it (sysexits: 74).
        case unreadable
        /// It was read, and holds something else than it should (sysexits: 65).
        case malformed
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
