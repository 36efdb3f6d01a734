/// The name of a model on the hub: `OWNER/NAME[@REVISION]`.
public struct HubReference: Sendable, Hashable, CustomStringConvertible {
    /// The user or organisation; nil for the few old models without one.
    public let owner: String?
    /// The model's own name.
    public let name: String
    /// A branch, a tag or a commit.
    public let revision: String

    /// The revision of a name that states none.
    public static let defaultRevision = "main"

    /// What may stand before a name: this package's word, and timm's.
    private static let schemes = ["hf:", "hf-hub:"]
    /// The endings of files of weights, which no model is named after.
    private static let weightsSuffixes = [".safetensors", ".bin", ".pth", ".pt", ".npz", ".ckpt", ".tar", ".json"]
    private static let longest = 96

    /// `OWNER/NAME`.
    public var repository: String { owner.map { "\($0)/\(name)" } ?? name }

    /// The name as it was given, without `hf:`.
    public var description: String {
        revision == Self.defaultRevision ? repository : "\(repository)@\(revision)"
    }

    /// Whether text says by itself that it names a model of the hub.
    public static func hasScheme(_ text: String) -> Bool { schemes.contains { text.hasPrefix($0) } }

    /// Reads a name. `hf:` or `hf-hub:` may stand before it, and has to before a name without owner.
    ///
    /// - Returns: nil where the text has neither the shape of such a name nor says that it is one, as paths of files.
    ///
    /// Errors: a usage error where it is meant to be a name and is malformed.
    public init?(_ text: String) throws(HubError) {
        let scheme = Self.schemes.first { text.hasPrefix($0) }
        let stated = text.dropFirst(scheme?.count ?? 0)
        let parts = stated.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let names = (parts.first ?? "").split(separator: "/", omittingEmptySubsequences: false)
        let isNamed = names.allSatisfy(Self.isName) && (names.count == 2 || names.count == 1 && scheme != nil)
        if scheme == nil, !isNamed || Self.weightsSuffixes.contains(where: { names[1].lowercased().hasSuffix($0) }) {
            return nil
        }
        guard isNamed else {
            throw HubError(
                .usage, text,
                "is no name of a model on the hub; OWNER/NAME or OWNER/NAME@REVISION was expected, of letters, digits, "
                    + "dots, dashes and underscores")
        }
        owner = names.count == 2 ? String(names[0]) : nil
        name = String(names[names.count - 1])
        revision = parts.count == 2 ? String(parts[1]) : Self.defaultRevision
        guard Self.isRevision(revision) else {
            throw HubError(
                .usage, text, "states no revision behind the @; a branch, a tag or a commit was expected, such as main")
        }
    }

    init(owner: String?, name: String, revision: String) {
        (self.owner, self.name, self.revision) = (owner, name, revision)
    }

    /// 40 hexadecimal digits.
    static func isCommit(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 40 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// The hub's own rule: no dots or dashes at the ends, nor two in a row.
    static func isName(_ text: some StringProtocol) -> Bool {
        isPart(text) && text.utf8.count <= longest && !text.contains("--")
            && ![".", "-", ".git"].contains { text.hasSuffix($0) }
    }

    private static func isRevision(_ text: String) -> Bool {
        text.utf8.count <= 255
            && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
                isPart(part) && ![".", ".lock"].contains { part.hasSuffix($0) }
            }
    }

    /// Letters, digits and what joins them: such a part leads nowhere else in a path, and means nothing to a server.
    static func isPart(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, first != UInt8(ascii: "."), first != UInt8(ascii: "-") else { return false }
        return !text.contains("..")
            && text.utf8.allSatisfy { byte in
                switch UnicodeScalar(byte) {
                case "a"..."z", "A"..."Z", "0"..."9", ".", "-", "_": true
                default: false
                }
            }
    }
}
