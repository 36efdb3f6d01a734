/// Classes in words, for a model that compares images with texts: each name is set into every prompt.
public struct ClassTexts: Sendable, Hashable {
    /// The names of the classes.
    public let names: [String]
    /// The prompts, each with `{}` where the name of a class belongs: "a photo of a {}.".
    public let prompts: [String]

    /// The name alone.
    public static let plainPrompt = "{}"

    /// Classes and prompts; of several prompts, a class is the mean of its texts' embeddings.
    ///
    /// Errors: `ModelUseError` for no classes, no prompts, or a prompt without `{}`.
    public init(_ names: [String], prompts: [String] = [plainPrompt]) throws(ModelUseError) {
        guard !names.isEmpty, !prompts.isEmpty else {
            throw .unfitting("No classes to choose from: at least one name and one prompt are needed")
        }
        if let prompt = prompts.first(where: { !$0.contains(Self.plainPrompt) }) {
            throw .unfitting(
                "The prompt \"\(prompt)\" has no {} where the name of a class belongs: \"a photo of a {}.\"")
        }
        self.names = names
        self.prompts = prompts
    }

    /// The number of texts: every class in every prompt.
    public var count: Int { names.count * prompts.count }

    /// The texts of a class, in the order of the prompts.
    func texts(ofClass index: Int) -> [String] { prompts.map { Self.text($0, naming: names[index]) } }

    /// The prompt with the name in the place of each `{}`.
    private static func text(_ prompt: String, naming name: String) -> String {
        let parts = prompt.utf8.split(separator: UInt8(ascii: "{"), omittingEmptySubsequences: false)
        var text = String(Substring(parts[0]))
        for part in parts.dropFirst() {
            let isPlace = part.first == UInt8(ascii: "}")
            text += isPlace ? name + String(Substring(part.dropFirst())) : "{" + String(Substring(part))
        }
        return text
    }
}
