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
    }

    /// What is wrong, as far as a program cares.
    public let kind: Kind
    /// The path as it was given or found.
    public let path: String
    /// One sentence that names the path, what is wrong and what would be right.
    public let description: String
}
