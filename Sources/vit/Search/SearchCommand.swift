import ArgumentParser
import Checkpoints
import Compute
import Datasets
import SwiftViT
import Models
import Support

/// How matches and groups are written.
enum SearchFormat: String, ExpressibleByArgument, CaseIterable {
    /// For people.
    case text
    /// A JSON object a line.
    case jsonl
    case csv
}

struct SearchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Find the pictures most similar to others.",
        discussion: """
            Examples:
              vit search photos.npy query.jpg
              vit search photos.npy 17 42 --top-k 20 --format jsonl     # by row; rows are counted from 0
              vit search photos.npy queries/ --format csv > matches.csv
              vit search vectors.npy queries.npy                        # a query a row

            The index is what vit embed has written, or any array of float32 or float16. All rows are compared; the \
            similarity is the cosine of the angle between the vectors. Pictures are embedded as those of the index were.
            """)

    @Argument(help: ArgumentHelp("Vectors, a row a picture: the output of vit embed.", valueName: "index.npy"))
    var index: String

    @Argument(
        help: ArgumentHelp(
            "Pictures, directories, @FILE with a path a line, rows of the index by number, or .npy.", valueName: "query"
        ))
    var queries: [String]

    @Option(name: .shortAndLong, help: "The checkpoint that embeds the queries. (default: the one of the index)")
    var model: String?

    @Option(
        help: ArgumentHelp(
            "What stands for a picture, where the index does not say.", valueName: "cls|mean|cls+mean"))
    var pool: FeaturePooling?

    @Option(name: [.customShort("k"), .long], help: ArgumentHelp("Matches to tell of each query.", valueName: "k"))
    var topK = 10

    @Option(name: .shortAndLong, help: "How the results are written.")
    var format = SearchFormat.text

    @OptionGroup(title: "Preprocessing of the queries, where it shall differ from the checkpoint's")
    var preprocessing: PreprocessingOptions

    @OptionGroup var images: ImageOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        if queries.isEmpty { throw ValidationError("Name at least one query: a picture, or a row by its number.") }
        if topK < 1 { throw ValidationError("--top-k takes a number from 1 up, not \(topK)") }
    }

    func run() throws {
        Interruption.watch(removing: UnfinishedFiles())
        let collection = try EmbeddingCollection(contentsOfFile: index)
        var batch = QueryBatch(collection)
        try collect(into: &batch)
        let search = CosineSearch(collection.vectors, engine: Engines.make(threads: threads.threads))
        let matches = batch.isEmpty ? [] : search.best(topK, for: batch.vectors, excluding: batch.rows)
        let paths = try collection.paths(of: Set(matches.joined().map(\.row)))
        let output = StandardOutput()
        let writer = MatchWriter(format: format, paths: paths)
        try output.write(writer.head)
        for (name, matches) in zip(batch.names, matches) { try output.write(writer.text(query: name, matches)) }
        try output.flush()
        if batch.failures > 0 { throw CommandFailure(.someInputsFailed) }
    }

    /// Gathers the vectors of all queries; runs of pictures are embedded together.
    private func collect(into batch: inout QueryBatch) throws {
        var pictures: [String] = []
        for query in queries {
            if let row = Int(query), Files.kind(of: query) == .missing {
                try embed(pictures, into: &batch)
                pictures = []
                try batch.append(row: row)
            } else if EmbeddingFormat(path: query) == .npy {
                try embed(pictures, into: &batch)
                pictures = []
                try batch.append(contentsOfFile: query)
            } else {
                pictures.append(query)
            }
        }
        try embed(pictures, into: &batch)
    }

    private func embed(_ pictures: [String], into batch: inout QueryBatch) throws {
        if pictures.isEmpty { return }
        let inputs = try InputPaths(expanding: pictures).inputs
        var options = ImageEmbedder.Options()
        options.threads = threads.threads
        options.overrides = preprocessing.overrides
        options.decoding = images.decoding
        options.pooling = pool
        let embedder = try batch.collection.embedder(
            model: { try Checkpoint.open(ModelLocation.find(model ?? $0 ?? ModelLocation.builtIn)) }, options: options)
        try batch.append(inputs, embedder: embedder, isStrict: images.strict)
    }
}
