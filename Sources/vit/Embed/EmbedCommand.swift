import ArgumentParser
import Checkpoints
import Datasets
import SwiftViT
import Imaging
import Models
import Support

struct EmbedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed",
        abstract: "Turn pictures into vectors.",
        discussion: """
            Examples:
              vit embed photos/ --output photos.npy
              vit embed photos/ --model dinov2 --output photos.npy --pool cls+mean --l2 --dtype float16
              vit embed photos/ --output photos.npy --resume       # goes on where an interrupted run ended
              vit embed photos/ --output photos.npy --update       # computes only what has changed since
              vit embed photos/ --output part-3.npy --shard 3/8    # the parts, one behind the other, are the whole

            OUTPUT.index.csv (row,path,sha256) says which picture a row of .npy or .safetensors belongs to; \
            OUTPUT.errors.csv (path,error) names the pictures that gave no row, and OUTPUT.settings.json says how the \
            numbers came about, each without the ending of OUTPUT. Until all is done, the rows are in OUTPUT.partial/.
            """)

    @Argument(help: "Image files, directories, @FILE with a path a line, or - for one image from standard input.")
    var paths: [String]

    @Option(
        name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "file.npy|.safetensors|.csv|.jsonl"))
    var output: String

    @OptionGroup var features: FeatureOptions

    @Option(help: "The type of the numbers.")
    var dtype = NumberType.float32

    @Flag(help: "Go on from what an interrupted run has left; without such, begin.")
    var resume = false

    @Flag(help: "Take over the rows of pictures that have not changed since an earlier run wrote the .npy.")
    var update = false

    @Option(help: ArgumentHelp("Do the i-th of n equal parts, counted from 1.", valueName: "i/n"))
    var shard: ShardArgument?

    @OptionGroup(title: "Preprocessing, where it shall differ from the checkpoint's")
    var preprocessing: PreprocessingOptions

    @OptionGroup var images: ImageOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        if paths.isEmpty { throw ValidationError("Name at least one picture, directory or list.") }
    }

    func run() throws {
        Interruption.watch(removing: UnfinishedFiles())
        keepFreedMemory()
        let inputs = try InputPaths(expanding: paths).inputs
        let embedder = try ImageEmbedder(
            Checkpoint.open(ModelLocation.find(features.model)),
            options: features.options(preprocessing: preprocessing, images: images, threads: threads))
        var options = EmbeddingJob.Options()
        options.isHalfPrecision = dtype == .float16
        options.resumes = resume
        options.updates = update
        options.shard = shard.map { ($0.index, $0.count) }
        let job = try EmbeddingJob(embedder, inputs: inputs, output: output, options: options)
        try run(job)
    }

    private func run(_ job: EmbeddingJob) throws {
        let count = job.inputs.count
        var progress = Progress(total: count, isShown: !shared.quiet)
        let outcome = try job.run { done, input in
            guard let input else {
                progress = Progress(total: count, earlier: done, isShown: !shared.quiet)
                return
            }
            if case .failure(let error) = input.result {
                if images.strict { throw error }
                progress.clear()
                StandardError.write("Error: \(error)\n")
            }
            progress.update(done)
        }
        progress.clear()
        if outcome.failures > 0 {
            StandardError.write("\(outcome.rows) of \(count) embedded, \(outcome.failures) failed\n")
            throw CommandFailure(.someInputsFailed)
        }
    }
}

/// What decides on the vector of a picture, besides preprocessing.
struct FeatureOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "A directory, a weights file, or the name of a folder under checkpoints/.")
    var model = ModelLocation.builtIn

    @Option(
        help: ArgumentHelp(
            "Class token, mean of the patches, both, or all patches. (default: what the model's head reads)",
            valueName: "cls|mean|cls+mean|patches"))
    var pool: FeaturePooling?

    @Option(
        help: ArgumentHelp(
            "After how many blocks to read the tokens, 0 to the model's depth. (default: all, and the final norm)",
            valueName: "n"))
    var layer: Int?

    @Flag(name: .customLong("l2"), help: "Divide each vector by its length.")
    var l2 = false

    @Option(help: ArgumentHelp("Pictures computed at once; results do not depend on it.", valueName: "n"))
    var batchSize = ImageEmbedder.Options().batchSize

    private static let largestBatch = 4096

    func validate() throws {
        if !(1...Self.largestBatch).contains(batchSize) {
            throw ValidationError("--batch-size takes a number from 1 to \(Self.largestBatch), not \(batchSize)")
        }
    }

    func options(
        preprocessing: PreprocessingOptions, images: ImageOptions, threads: ThreadOptions
    ) -> ImageEmbedder.Options {
        var options = ImageEmbedder.Options()
        options.threads = threads.threads
        options.batchSize = batchSize
        options.overrides = preprocessing.overrides
        options.decoding = images.decoding
        options.pooling = pool
        options.layer = layer
        options.isNormalized = l2
        return options
    }
}

extension FeaturePooling: ExpressibleByArgument {}

/// The type of the numbers in a file.
enum NumberType: String, ExpressibleByArgument, CaseIterable { case float32, float16 }

/// A part of the work: `3/8`.
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
