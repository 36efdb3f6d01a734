import ArgumentParser
import Communication
import Datasets
import Imaging
import Models
import Support
import SwiftViT

struct EmbedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed",
        abstract: "Compute image embeddings.",
        discussion: """
            Examples:
              vit embed photos/ --output photos.npy
              vit embed photos/ --model dinov2 --output photos.npy --l2 --dtype float16
              vit embed photos/ --output photos.npy --resume     # continue after a stop
              vit embed photos/ --output photos.npy --update     # only changed images
              vit embed photos/ --output part-3.npy --shard 3/8  # one of eight parts
              vit embed --text captions.txt --model clip --output captions.npy

            For an output STEM.npy or STEM.safetensors, STEM.index.csv (row,path,sha256) maps rows to images. \
            STEM.errors.csv (path,error) lists the images that failed, and STEM.settings.json records how the \
            embeddings were computed. Unfinished rows are kept in OUTPUT.partial/.
            """)

    @Argument(help: .imagePaths)
    var paths: [String] = []

    @Option(help: ArgumentHelp("Embed texts instead, one per line (CLIP, SigLIP).", valueName: "file"))
    var text: String?

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Output file.", valueName: "file.npy|.safetensors|.csv|.jsonl"))
    var output: String

    @OptionGroup var features: FeatureOptions

    @Option(help: "Element type.")
    var dtype = NumberType.float32

    @Flag(help: "Continue an interrupted run, or start one.")
    var resume = false

    @Flag(help: "Reuse the rows of an existing .npy whose images have not changed.")
    var update = false

    @Option(help: ArgumentHelp("Process the i-th of n equal shards, counted from 1.", valueName: "i/n"))
    var shard: ShardArgument?

    @OptionGroup var tokenizer: TokenizerOptions
    @OptionGroup var source: WeightsOptions
    @OptionGroup var inference: InferenceOptions

    func validate() throws {
        guard text != nil else { return try checkPaths(paths) }
        guard paths.isEmpty else { throw ValidationError("--text embeds texts; leave out \(paths[0])") }
        guard !resume, !update, shard == nil, features.pool == nil, features.layer == nil else {
            throw ValidationError("--text goes without --resume, --update, --shard, --pool and --layer")
        }
    }

    func run() throws {
        if let text {
            // Texts are few, and one process embeds them.
            return try Processes.run { if $0.isFirst { try embed(textFile: text) } }
        }
        Interruption.watch(removing: UnfinishedFiles())
        keepFreedMemory()
        // A shard is what a process of its own takes, whoever started it.
        if shard != nil { return try embed(SingleProcess()) }
        try Processes.run(self, silencing: \.inference.shared.quiet) { command, communicator in
            try command.embed(communicator)
        }
    }

    private func embed(_ communicator: any Communicator) throws {
        let inputs = try InputPaths(expanding: paths).inputs
        var settings = features.options(inference)
        settings.communicator = communicator
        let embedder = try ImageEmbedder(
            ModelLocation.open(features.model, weights: source, isQuiet: inference.shared.quiet), options: settings)
        embedder.checkpoint.noteAssumptions(unless: inference.shared.quiet)
        inference.threads.noteShortage(in: embedder.engine, unless: inference.shared.quiet)
        var options = EmbeddingJob.Options()
        options.isHalfPrecision = dtype == .float16
        options.resumes = resume
        options.updates = update
        options.shard = shard.map { ($0.index, $0.count) }
        let job = try EmbeddingJob(embedder, inputs: inputs, output: output, options: options)
        guard communicator.isFirst else {
            _ = try job.run()
            return
        }
        try run(job)
    }

    private func embed(textFile: String) throws {
        let unfinished = UnfinishedFiles()
        Interruption.watch(removing: unfinished)
        let texts = try TextEmbeddingJob.texts(inFile: textFile)
        let checkpoint = try ModelLocation.open(features.model, weights: source, isQuiet: inference.shared.quiet)
        var options = TextEmbedder.Options()
        options.threads = inference.threads.threads
        options.precision = inference.precision.precision
        options.isNormalized = features.l2
        options.tokenizer = tokenizer.tokenizer
        let embedder = try TextEmbedder(checkpoint, options: options)
        let images = try ImageEmbedder(checkpoint, options: features.options(inference))
        let job = try TextEmbeddingJob(
            embedder, images: images, texts: texts, output: output, isHalfPrecision: dtype == .float16)
        var progress = Progress(total: texts.count, isShown: !inference.shared.quiet)
        try job.run(unfinished: unfinished) { progress.update($0) }
        progress.clear()
    }

    private func run(_ job: EmbeddingJob) throws {
        let count = job.inputs.count
        var progress = Progress(total: count, isShown: !inference.shared.quiet)
        let outcome = try job.run { done, input in
            guard let input else {
                progress = Progress(total: count, earlier: done, isShown: !inference.shared.quiet)
                return
            }
            if case .failure(let error) = input.result {
                if inference.images.strict { throw error }
                progress.clear()
                StandardError.report("Error: \(error)")
            }
            progress.update(done)
        } note: { sentence in
            StandardError.report(sentence)
        }
        progress.clear()
        if outcome.failures > 0 {
            StandardError.report("\(outcome.rows) of \(count) embedded, \(outcome.failures) failed")
            throw CommandFailure(.someInputsFailed)
        }
    }
}

/// What determines an image's embedding, besides preprocessing.
struct FeatureOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: .model)
    var model = ModelLocation.builtIn

    @Option(
        help: ArgumentHelp(
            """
            Class token, mean of the patches, both, all patches, attention pooling (SigLIP), or the projection that is \
            compared with texts (CLIP). (default: what the classifier head reads, or what is compared with texts)
            """,
            valueName: "cls|mean|cls+mean|patches|map|projection"))
    var pool: FeaturePooling?

    @Option(
        help: ArgumentHelp(
            "Number of blocks to run, 0 to the model's depth. (default: all, and the final norm)",
            valueName: "n"))
    var layer: Int?

    @Flag(name: .customLong("l2"), help: "Normalise each vector to unit length.")
    var l2 = false

    @Option(help: .batchSize)
    var batchSize = ImageEmbedder.Options().batchSize

    func validate() throws { try checkBatchSize(batchSize) }

    func options(
        _ inference: InferenceOptions
    ) -> ImageEmbedder.Options {
        var options = ImageEmbedder.Options()
        inference.apply(to: &options)
        options.batchSize = batchSize
        options.pooling = pool
        options.layer = layer
        options.isNormalized = l2
        return options
    }
}

extension FeaturePooling: ExpressibleByArgument {}

/// The element type of a file of embeddings.
enum NumberType: String, ExpressibleByArgument, CaseIterable { case float32, float16 }

/// One of several equal parts: `3/8`.
struct ShardArgument: ExpressibleByArgument {
    let index: Int
    let count: Int

    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let index = parts[0], let count = parts[1], count >= 1, (1...count).contains(index)
        else { return nil }
        self.index = index
        self.count = count
    }
}
