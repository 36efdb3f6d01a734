import ArgumentParser
import Checkpoints
import Datasets
import SwiftViT
import Imaging
import Support

struct ClassifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "classify",
        abstract: "Say what is in pictures.",
        discussion: """
            Examples:
              vit classify photo.jpg
              vit classify photos/ --top-k 1
              vit classify @list.txt --model google/vit --format jsonl > labels.jsonl
              curl -s https://example.org/cat.png | vit classify - --model vit.pth
              vit classify photos/ --format csv --logits logits.npy > labels.csv

            One picture that cannot be read never ends a run over many: it is named on standard error, and the exit \
            code is 1.
            """)

    @Argument(help: "Image files, directories, @FILE with a path a line, or - for one image from standard input.")
    var paths: [String]

    @Option(name: .shortAndLong, help: "A directory, a weights file, or the name of a folder under checkpoints/.")
    var model = ModelLocation.builtIn

    @Option(
        name: [.customShort("k"), .long],
        help: ArgumentHelp(
            "Classes to tell of each picture. (default: 5; as text, 1 a line for many pictures)", valueName: "k"))
    var topK: Int?

    @Option(name: .shortAndLong, help: "How the results are written.")
    var format = ClassificationFormat.text

    @Option(help: ArgumentHelp("Names for the classes: a name a line, or JSON.", valueName: "file"))
    var labels: String?

    @Option(
        help: ArgumentHelp(
            "Also write the logits, a row of float32 for each classified picture.", valueName: "out.npy"))
    var logits: String?

    @Option(help: ArgumentHelp("Pictures computed at once; results do not depend on it.", valueName: "n"))
    var batchSize = ImageClassifier.Options().batchSize

    @OptionGroup(title: "Preprocessing, where it shall differ from the checkpoint's")
    var preprocessing: PreprocessingOptions

    @OptionGroup var images: ImageOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        if let topK, topK < 1 { throw ValidationError("--top-k takes a number from 1 up, not \(topK)") }
        if !(1...Self.largestBatch).contains(batchSize) {
            throw ValidationError("--batch-size takes a number from 1 to \(Self.largestBatch), not \(batchSize)")
        }
    }

    private static let largestBatch = 4096

    func run() throws {
        let unfinished = UnfinishedFiles()
        Interruption.watch(removing: unfinished)
        keepFreedMemory()
        let inputs = try InputPaths(expanding: paths).inputs
        let checkpoint = try Checkpoint.open(ModelLocation.find(model))
        let classifier = try ImageClassifier(checkpoint, labels: readLabels(for: checkpoint), options: options(inputs))
        let logitsFile = try logits.map { path throws(FileError) in
            try NumPyWriter(path, columns: classifier.configuration.classCount, unfinished: unfinished)
        }
        let layout = TextLayout(inputs: inputs, labels: classifier.labels, topK: topK)
        let writer = format.writer(topK: topK ?? 5, layout: layout)
        var run = ClassificationRun(
            inputCount: inputs.count, writer: writer, logits: logitsFile, isStrict: images.strict,
            showsProgress: !shared.quiet)
        try run.start()
        try classifier.classify(inputs) { try run.take($0) }
        try run.finish()
    }

    private func options(_ inputs: [InputPaths.Input]) -> ImageClassifier.Options {
        var options = ImageClassifier.Options()
        options.threads = threads.threads
        options.batchSize = min(batchSize, inputs.count)
        options.overrides = preprocessing.overrides
        options.decoding = images.decoding
        return options
    }

    private func readLabels(for checkpoint: Checkpoint) throws -> ClassLabels? {
        guard let labels, checkpoint.configuration.classCount > 0 else { return nil }
        return try ClassLabels(contentsOfFile: labels, count: checkpoint.configuration.classCount)
    }
}
