import Datasets
import Models
import Support

/// Embeds the lines of a text file into a file of embeddings, which holds a row for each line.
///
/// Beside an array, `STEM.index.csv` (row, text, sha256) maps rows to texts, and `STEM.settings.json` records how the
/// embeddings were computed: they are comparable with those of images by the same model.
public struct TextEmbeddingJob {
    private let texts: [String]
    private let embedder: TextEmbedder
    private let output: String
    private let encoder: EmbeddingEncoder
    private let settings: EmbeddingSettings

    /// Prepares a job that writes `output`.
    ///
    /// - Parameters:
    ///   - images: embeds images with the same model, as it would for the texts to be compared with.
    ///
    /// Errors: `ModelUseError` if the options do not fit the output.
    public init(
        _ embedder: TextEmbedder, images: ImageEmbedder, texts: [String], output: String, isHalfPrecision: Bool = false
    ) throws {
        guard let format = EmbeddingFormat(path: output) else { throw EmbeddingFormat.unknown(output) }
        self.embedder = embedder
        self.texts = texts
        self.output = output
        encoder = EmbeddingEncoder(
            format: format, element: isHalfPrecision ? .float16 : .float32, shape: [embedder.width], kind: .text)
        settings = try EmbeddingSettings(
            images, rows: .text, inputs: texts, shard: nil, element: encoder.element, textProbe: embedder.probe())
    }

    /// Writes the file, and the files beside it; `progress` receives the number of texts done.
    ///
    /// Errors: `FileError`; `ModelUseError` for numbers that are not finite, or that float16 cannot hold. An error thrown by
    /// `progress` ends the run, and leaves nothing behind.
    public func run(_ progress: (_ done: Int) throws -> Void = { _ in }) throws {
        try run(unfinished: UnfinishedFiles(), progress: progress)
    }

    /// The same; `unfinished` removes what is half written where a signal ends the process.
    package func run(unfinished: UnfinishedFiles, progress: (Int) throws -> Void) throws {
        let file = try OutputFile(output, unfinished: unfinished)
        let index = try OutputFile(EmbeddingSidecars.index(of: output), unfinished: unfinished)
        try file.append(encoder.head(rows: texts.count))
        try index.append(Array("row,text,sha256\n".utf8))
        for first in stride(from: 0, to: texts.count, by: Self.textsPerPass) {
            let part = texts[first..<min(first + Self.textsPerPass, texts.count)]
            for (row, vector) in zip(part.indices, try embedder.embed(Array(part))) {
                try check(vector, row: row)
                let digest = SHA256(of: Array(texts[row].utf8))
                try file.append(encoder.row(vector, path: texts[row], digest: digest))
                try index.append(Array("\(row),\(CSVField.text(texts[row])),\(digest.hex)\n".utf8))
            }
            try progress(part.endIndex)
        }
        try place(file, index, unfinished)
    }

    private static let textsPerPass = 1024

    private func check(_ vector: [Float], row: Int) throws {
        guard vector.allSatisfy(\.isFinite) else {
            throw ModelUseError.unfitting(
                "\(embedder.checkpoint.path): gives numbers that are not finite for text \(row + 1); its weights are damaged, or "
                    + "too large for this precision")
        }
        guard encoder.canHold(vector) else {
            throw ModelUseError.unfitting(
                "\(output): text \(row + 1) has values beyond 65,504, which float16 cannot hold; use float32")
        }
    }

    /// Puts all files in their places; those of an earlier output never lie beside the new one.
    private func place(_ file: OutputFile, _ index: OutputFile, _ unfinished: UnfinishedFiles) throws {
        let settingsPath = EmbeddingSidecars.settings(of: output)
        let isListed = !encoder.format.namesImages
        for path in [EmbeddingSidecars.index(of: output), EmbeddingSidecars.errors(of: output), settingsPath] {
            try Files.remove(path)
        }
        try file.commit()
        if isListed { try index.commit() }
        try Files.write(
            settings.finished(rows: texts.count).json.text() + "\n", to: settingsPath, unfinished: unfinished)
    }
}

extension TextEmbeddingJob {
    /// The lines of a text file, each a text.
    ///
    /// Errors: `InputError` if it is no UTF-8 text, or empty.
    public static func texts(inFile path: String) throws(InputError) -> [String] {
        let lines = TextLines.split(try InputPaths.bytes(of: path, expected: "a text file with one text per line"))
        guard !lines.isEmpty else { throw .malformed(path, "is empty; expected one text per line") }
        var texts: [String] = []
        texts.reserveCapacity(lines.count)
        for (number, line) in lines.enumerated() {
            guard let text = String(validating: line, as: UTF8.self) else {
                throw .malformed(path, "line \(number + 1) is not UTF-8 text")
            }
            texts.append(text)
        }
        return texts
    }
}
