import Communication
import Datasets
import Models
import Support

/// Embeds many images into a file, surviving interruptions.
///
/// While the job runs, its rows are kept in a directory `OUTPUT.partial`; the output and the files beside it appear when
/// it is done. For an array, `STEM.index.csv` (row, path, sha256) maps rows to images; in every format, `STEM.errors.csv`
/// (path, error) lists the images that failed, and `STEM.settings.json` records how the embeddings were computed.
public struct EmbeddingJob {
    /// The options.
    public struct Options: Sendable {
        /// Whether values are written as float16.
        public var isHalfPrecision = false
        /// Whether to continue an interrupted run.
        public var resumes = false
        /// Whether to reuse the rows of unchanged images from an existing output.
        public var updates = false
        /// What else to do than to use the settings of that output, for messages.
        var startingOver = "leave out --update to start over"
        /// Which of `count` equal parts of the inputs to embed, counted from 1; nil: all inputs.
        public var shard: (index: Int, count: Int)?

        /// The defaults.
        public init() {}
    }

    /// The result of a run.
    public struct Outcome: Sendable {
        /// The number of rows in the file.
        public let rows: Int
        /// The number of images that failed.
        public let failures: Int
    }

    /// The inputs of this shard.
    public let inputs: [InputPaths.Input]
    private let embedder: ImageEmbedder
    private let output: String
    private let encoder: EmbeddingEncoder
    private let options: Options
    private let settings: EmbeddingSettings

    /// Prepares a job that writes `output`.
    ///
    /// Errors: `ModelUseError` if the options do not fit the output.
    public init(
        _ embedder: ImageEmbedder, inputs: [InputPaths.Input], output: String, options: Options = Options()
    ) throws {
        guard let format = EmbeddingFormat(path: output) else { throw EmbeddingFormat.unknown(output) }
        if format == .csv, embedder.shape.count > 1 {
            throw ModelUseError.unfitting("\(output): a table cannot hold patch embeddings; use .npy")
        }
        if options.updates, format != .npy {
            throw ModelUseError.unfitting("\(output): only the rows of .npy files can be reused")
        }
        self.embedder = embedder
        self.output = output
        self.options = options
        self.inputs = options.shard.map { Self.part($0, of: inputs) } ?? inputs
        encoder = EmbeddingEncoder(
            format: format, element: options.isHalfPrecision ? .float16 : .float32, shape: embedder.shape)
        settings = try EmbeddingSettings(
            embedder, inputs: self.inputs.lazy.map(\.path), shard: options.shard.map { "\($0.index)/\($0.count)" },
            element: encoder.element, textProbe: embedder.textProbe())
    }

    /// The inputs of a shard: shards are consecutive, and their sizes differ by at most one.
    static func part(_ shard: (index: Int, count: Int), of inputs: [InputPaths.Input]) -> [InputPaths.Input] {
        precondition(
            shard.count >= 1 && (1...shard.count).contains(shard.index), "EmbeddingJob: there is no shard \(shard)")
        // The product may be larger than any number; the quotient is not.
        func end(_ index: Int) -> Int {
            shard.count.dividingFullWidth(inputs.count.multipliedFullWidth(by: index)).quotient
        }
        return Array(inputs[end(shard.index - 1)..<end(shard.index)])
    }

    /// Runs the job. `note` receives a sentence where a run to resume has left damaged files; `progress` receives the number
    /// of inputs done before this run, and then each input's result.
    ///
    /// An error thrown by `progress` ends the run, which can be resumed. Where processes share the images, the first one
    /// alone writes and reports.
    public func run(
        _ progress: (_ done: Int, _ input: EmbeddedInput?) throws -> Void = { _, _ in },
        note: (String) -> Void = { _ in }
    ) throws -> Outcome {
        guard embedder.options.communicator.isFirst else { return try assist() }
        try UnfinishedFiles().removeAbandoned(of: EmbeddingJournal.directory(of: output))
        if options.resumes, !options.updates, let outcome = try finishedOutcome() {
            begin(from: inputs.count)
            return outcome
        }
        let known = try options.updates ? KnownRows(output, settings: settings, options) : nil
        let folder = Files.directory(of: output)
        if !folder.isEmpty { try Files.makeDirectory(folder) }
        let journal = try EmbeddingJournal(
            output: output, settings: settings, head: encoder.head(rows: 0), resumes: options.resumes,
            note: note)
        try progress(journal.position.inputs, nil)
        do {
            try embedRest(journal, known, progress)
        } catch {
            try journal.commit()
            throw error
        }
        return try finish(journal)
    }

    /// Broadcasts the index of the first input to embed.
    private func begin(from input: Int) {
        _ = embedder.options.communicator.broadcast(littleEndian(UInt64(input)))
    }

    /// Embeds this process's share and sends it to process 0.
    private func assist() throws -> Outcome {
        let first = embedder.options.communicator.broadcast([]).reversed().reduce(0) { $0 << 8 | Int($1) }
        let known = try options.updates ? KnownRows(output, settings: settings, options) : nil
        try embedder.embed(Array(inputs[first...]), known: { known?[$0] }) { _ in }
        return Outcome(rows: 0, failures: 0)
    }

    private func embedRest(
        _ journal: EmbeddingJournal, _ known: KnownRows?, _ progress: (Int, EmbeddedInput?) throws -> Void
    ) throws {
        begin(from: journal.position.inputs)
        let rest = Array(inputs[journal.position.inputs...])
        try embedder.embed(rest, known: { known?[$0] }) { input in
            let input = input.checked(by: encoder)
            // Before the entry is written: an input that ends the run is processed again on resuming.
            try progress(journal.position.inputs + 1, input)
            switch input.result {
            case .success(let embedding):
                let row = encoder.row(embedding.values, path: input.path, digest: embedding.digest)
                journal.append(row, digest: embedding.digest)
            case .failure(let error):
                if inputs.count == 1 {
                    try journal.discard()
                    throw error
                }
                journal.append(failure: error.reason)
            }
            try journal.commitIfDue()
        }
    }

    private func finish(_ journal: EmbeddingJournal) throws -> Outcome {
        let rows = journal.position.rows
        let failures = journal.position.inputs - rows
        let index = EmbeddingJournal.Sidecar(path: EmbeddingSidecars.index(of: output)) { write in
            try write("row,path,sha256\n")
            var row = 0
            try journal.forEachEntry { input, entry in
                guard case .row(let digest) = entry else { return }
                try write("\(row),\(CSVField.text(inputs[input].path)),\(digest.hex)\n")
                row += 1
            }
        }
        let errors = EmbeddingJournal.Sidecar(path: EmbeddingSidecars.errors(of: output)) { write in
            try write("path,error\n")
            try journal.forEachEntry { input, entry in
                guard case .failure(let reason) = entry else { return }
                try write("\(CSVField.text(inputs[input].path)),\(CSVField.text(reason))\n")
            }
        }
        let finished = settings.finished(rows: rows)
        try journal.finish(
            head: encoder.head(rows: rows),
            sidecars: [
                encoder.format.namesImages ? .removal(of: index.path) : index,
                failures > 0 ? errors : .removal(of: errors.path),
                EmbeddingJournal.Sidecar(path: EmbeddingSidecars.settings(of: output)) { write in
                    try write(finished.json.text() + "\n")
                },
            ])
        return Outcome(rows: rows, failures: failures)
    }

    /// The outcome of an earlier run with the same settings, if it is finished and nothing is left to resume.
    private func finishedOutcome() throws -> Outcome? {
        let path = EmbeddingSidecars.settings(of: output)
        guard try Files.kind(of: EmbeddingJournal.directory(of: output)) == .missing,
            try Files.kind(of: output) == .file, try Files.kind(of: path) == .file
        else { return nil }
        let earlier = try EmbeddingSettings(contentsOfFile: path)
        guard let rows = earlier.rowCount, settings.difference(from: earlier) == nil else { return nil }
        return Outcome(rows: rows, failures: inputs.count - rows)
    }
}

/// The files beside an output.
package enum EmbeddingSidecars {
    /// Maps rows to images.
    package static func index(of output: String) -> String { stem(output) + ".index.csv" }

    /// Lists the images that failed.
    package static func errors(of output: String) -> String { stem(output) + ".errors.csv" }

    /// Records how the embeddings were computed.
    package static func settings(of output: String) -> String { stem(output) + ".settings.json" }

    private static func stem(_ output: String) -> String {
        guard let dot = output.lastIndex(of: "."), EmbeddingFormat(path: output) != nil else { return output }
        return String(output[..<dot])
    }
}

extension EmbeddingJournal.Sidecar {
    fileprivate static func removal(of path: String) -> Self { Self(path: path, write: nil) }
}

extension EmbeddedInput {
    /// The same input, or a failure if its values are out of the file's range.
    fileprivate func checked(by encoder: EmbeddingEncoder) -> EmbeddedInput {
        guard case .success(let embedding) = result, !encoder.canHold(embedding.values) else { return self }
        return EmbeddedInput(
            path: path,
            result: .failure(.malformed(path, "has values beyond 65,504, which float16 cannot hold; use float32")))
    }
}

/// The rows of an earlier output by the digest of their image.
private struct KnownRows: Sendable {
    private let matrix: NumPyMatrix
    private let rows: [SHA256: Int]

    /// Nil if there is no earlier output.
    init?(_ output: String, settings: EmbeddingSettings, _ options: EmbeddingJob.Options) throws {
        guard try Files.kind(of: output) == .file else { return nil }
        let (path, index) = (EmbeddingSidecars.settings(of: output), EmbeddingSidecars.index(of: output))
        // A run that was interrupted while it put its own files in place has all rows, and needs none.
        if options.resumes, try Files.kind(of: path) == .missing || Files.kind(of: index) == .missing,
            try Files.kind(of: EmbeddingJournal.directory(of: output)) == .directory
        {
            return nil
        }
        let earlier = try EmbeddingSettings(contentsOfFile: path)
        if let difference = settings.numericDifference(from: earlier) {
            throw ModelUseError.unfitting(
                "\(output): was made with another \(difference); use the same settings, or \(options.startingOver)")
        }
        matrix = try NumPyMatrix(contentsOfFile: output, of: NumPyMatrix.Element.allCases, isFlattened: true)
        var rows: [SHA256: Int] = [:]
        let known = try EmbeddingIndex(contentsOfFile: index, rowCount: matrix.rows)
        try known.forEach { entry in rows[entry.digest] = entry.row }
        self.rows = rows
    }

    subscript(digest: SHA256) -> [Float]? { rows[digest].map { matrix[$0] } }
}
