import ArgumentParser
import Datasets
import Models
import Support
import SwiftViT

/// The classes of a model that compares images with words.
struct ClassTextOptions: ParsableArguments {
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Classes in words, for CLIP and SigLIP; more than a few go into --labels, one per line.", valueName: "text")
    )
    var classes: [String] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Text that each class is set into, in the place of {}; of several, their embeddings are averaged. (default: {})",
            valueName: "a photo of a {}."))
    var prompt: [String] = []

    @OptionGroup var tokenizer: TokenizerOptions

    func validate() throws {
        if let prompt = prompt.first(where: { !$0.contains(ClassTexts.plainPrompt) }) {
            throw ValidationError("--prompt takes a text with {} where the name of a class belongs, not \"\(prompt)\"")
        }
    }

    /// The classes of `checkpoint` in words; nil for a model with a head.
    ///
    /// - Parameter labels: `--labels`.
    func texts(for checkpoint: Checkpoint, labels: String?) throws -> ClassTexts? {
        guard checkpoint.configuration is TwoTowerConfiguration else {
            guard classes.isEmpty, prompt.isEmpty else { throw ModelUseError.noTextTower(path: checkpoint.path) }
            return nil
        }
        guard classes.isEmpty || labels == nil else {
            throw CommandFailure(.usage, "--classes and --labels both name the classes; give one of them")
        }
        let names = try labels.map { try ClassLabels(contentsOfFile: $0, count: nil).names ?? [] } ?? classes
        guard !names.isEmpty else { throw ModelUseError.noClasses(path: checkpoint.path) }
        return try ClassTexts(names, prompts: prompt.isEmpty ? [ClassTexts.plainPrompt] : prompt)
    }
}

/// The tokenizer of a model that compares images with words.
struct TokenizerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Tokenizer of the texts: tokenizer.json, spiece.model, bpe_simple_vocab_16e6.txt.gz, or a directory. "
                + "(default: the checkpoint's own)", valueName: "file"))
    var tokenizer: String?
}
