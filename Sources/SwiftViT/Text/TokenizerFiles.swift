import Models
import Support
import Tokenizers

/// Copies the tokenizer of a model with a text tower when the model is converted.
public enum TokenizerFiles {
    /// A text that exercises the rules of tokenizers: capitals, punctuation, accents, numbers and spaces.
    private static let probe = "A photo of a DOG's  ball, 25 % off! Naïve_café (x2)"

    /// Copies the tokenizer beside `checkpoint` into `directory`, where the model was written in `layout`.
    ///
    /// - Returns: Remarks, a sentence each: there is no tokenizer, or the copy gives other tokens.
    /// - Throws: `FileError` where a file cannot be read or written.
    public static func copy(
        from checkpoint: Checkpoint, to directory: String, layout: ExportLayout
    ) throws -> [String] {
        guard checkpoint.configuration is TwoTowerConfiguration else { return [] }
        let source = try TextEmbedder.directory(of: checkpoint)
        let names = try Tokenizer.fileNames.filter { try Files.kind(of: Files.join(source, $0)) == .file }
        guard !names.isEmpty else {
            return ["\(source) holds no tokenizer to take along; copy its files where texts are needed."]
        }
        for name in names {
            let bytes = try Files.content(of: Files.join(source, name), expected: "a file of a tokenizer")
            try Files.write(bytes, to: Files.join(directory, name))
        }
        guard let new = try? tokens(in: directory, isOpenCLIP: layout == .openCLIP) else {
            return ["The tokenizer's files are copied as they are, and cannot be used there."]
        }
        let old = try? tokens(in: source, isOpenCLIP: checkpoint.layout == .openCLIP)
        let program = layout == .openCLIP ? "OpenCLIP" : "transformers"
        return old == new ? [] : ["By the tokenizer's files, \(program) makes other tokens of some texts than before."]
    }

    private static func tokens(in directory: String, isOpenCLIP: Bool) throws -> [Int32] {
        try Tokenizer(directory: directory, convention: isOpenCLIP ? .openCLIP : nil).tokens(of: probe)
    }
}
