import ArgumentParser
import Datasets
import Models
import Support
import SwiftViT

/// The output formats of matches and groups.
enum SearchFormat: String, ExpressibleByArgument, CaseIterable {
    /// Human-readable text.
    case text
    /// One JSON object per line.
    case jsonl
    case csv
}

struct SearchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Find the most similar images.",
        discussion: """
            Examples:
              vit search photos.npy query.jpg
              vit search photos.npy 17 42 --top-k 20 --format jsonl   # by row number
              vit search photos.npy queries/ --format csv > matches.csv
              vit search vectors.npy queries.npy                      # one query per row
              vit search photos.npy query.jpg --html matches.html     # a page to look at
              vit search photos.npy --text "red car at night"         # in words, with CLIP or SigLIP

            The index is an output of vit embed, or any float32 or float16 array; rows are counted from 0. The search is \
            exact: every row is compared, by cosine similarity. Query images are embedded with the settings of the index.
            """)

    @Argument(help: .embeddings)
    var index: String

    @Argument(
        help: ArgumentHelp(
            "Images, directories, .tar archives, @FILE with one path per line, row numbers of the index, or .npy files.",
            valueName: "query"))
    var queries: [String] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Search by words; of several texts, the mean.", valueName: "red car at night"))
    var text: [String] = []

    @Option(name: .shortAndLong, help: "Checkpoint that embeds the queries: a path or a name. (default: the index's)")
    var model: String?

    @Option(
        help: ArgumentHelp(
            "Pooling, if the index does not record it.", valueName: "cls|mean|cls+mean|map|projection"))
    var pool: FeaturePooling?

    @Option(name: [.customShort("k"), .long], help: ArgumentHelp("Number of matches per query.", valueName: "k"))
    var topK = 10

    @Option(name: .shortAndLong, help: .format)
    var format = SearchFormat.text

    @Option(help: ArgumentHelp("Also write a page to look at the matches.", valueName: "matches.html"))
    var html: String?

    @OptionGroup var tokenizer: TokenizerOptions
    @OptionGroup var source: WeightsOptions

    @OptionGroup(title: "Preprocessing of the queries (overrides the checkpoint's)")
    var preprocessing: PreprocessingOptions

    @OptionGroup var images: ImageOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        if queries.isEmpty, text.isEmpty {
            throw ValidationError("Name at least one query: an image, a row number, or --text in words.")
        }
        if topK < 1 { throw ValidationError("--top-k takes a number from 1 up, not \(topK)") }
    }

    func run() throws {
        let unfinished = UnfinishedFiles()
        Interruption.watch(removing: unfinished)
        if let html { try OutputFile.checkPlace(html) }
        let search = try EmbeddingSearch(contentsOfFile: index, threads: threads.threads)
        threads.noteShortage(in: search.engine, unless: shared.quiet)
        var batch = QueryBatch(search.collection)
        try collect(into: &batch)
        try collectText(into: &batch)
        var skipped = SkippedRows()
        let matches = search.nearest(topK, to: batch.vectors, excluding: batch.rows) { skipped.append($0) }
        let paths = try search.paths(of: matches.joined().map(\.row) + batch.rows.compactMap { $0 })
        let output = StandardOutput()
        let writer = MatchWriter(format: format, paths: paths)
        try output.write(writer.head)
        for (name, matches) in zip(batch.names, matches) { try output.write(writer.text(query: name, matches)) }
        try output.flush()
        if let html {
            let queries = zip(zip(batch.names, batch.files), zip(batch.rows, matches)).map { query, result in
                SearchPage.Query(
                    name: query.0, file: query.1 ?? result.0.flatMap { paths[$0] }, matches: result.1)
            }
            let page = SearchPage(title: "Matches in \(Files.name(of: index))", queries, paths: paths, in: search)
            try Files.write(page.html(), to: html, unfinished: unfinished)
        }
        try skipped.finish(index, of: search.count)
        if batch.failures > 0 {
            throw CommandFailure(
                batch.names.isEmpty && queries.count + min(text.count, 1) == 1 ? .malformedData : .someInputsFailed)
        }
    }

    /// Collects the vectors of all queries; consecutive images are embedded together.
    private func collect(into batch: inout QueryBatch) throws {
        var paths: [String] = []
        for query in queries {
            if let row = Int(query), try Files.kind(of: query) == .missing {
                try embed(paths, into: &batch)
                paths = []
                try batch.append(row: row)
            } else if EmbeddingFormat(path: query) == .npy {
                try embed(paths, into: &batch)
                paths = []
                try batch.append(contentsOfFile: query)
            } else {
                paths.append(query)
            }
        }
        try embed(paths, into: &batch)
    }

    private func collectText(into batch: inout QueryBatch) throws {
        if text.isEmpty { return }
        var options = TextEmbedder.Options()
        options.threads = threads.threads
        options.tokenizer = tokenizer.tokenizer
        let embedder = try batch.collection.textEmbedder(model: checkpoint, options: options)
        try batch.append(texts: text, embedder: embedder)
    }

    /// The checkpoint of the queries: `--model`, else that of the index.
    private func checkpoint(ofIndex path: String?) throws -> Checkpoint {
        try ModelLocation.open(model ?? path ?? ModelLocation.builtIn, weights: source, isQuiet: shared.quiet)
    }

    private func embed(_ paths: [String], into batch: inout QueryBatch) throws {
        if paths.isEmpty { return }
        let inputs = try InputPaths(expanding: paths).inputs
        var options = ImageEmbedder.Options()
        options.threads = threads.threads
        options.overrides = preprocessing.overrides
        options.decoding = images.decoding
        options.pooling = pool
        let embedder = try batch.collection.embedder(
            model: checkpoint, options: options)
        try batch.append(inputs, embedder: embedder, isStrict: images.strict)
    }
}
