import ArgumentParser
import Communication
import Datasets
import Imaging
import Models
import Support
import SwiftViT

struct ClassifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "classify",
        abstract: "Classify images.",
        discussion: """
            Examples:
              vit classify photo.jpg
              vit classify photos/ --top-k 1
              vit classify @list.txt --model google/vit --format jsonl > labels.jsonl
              curl -s https://example.org/cat.png | vit classify - --model vit.pth
              vit classify photos/ --format csv --logits logits.npy > labels.csv
              vit classify photos/ --model clip --classes "a cat" "a dog"
              vit classify photos/ --model clip --labels names.txt --prompt "a photo of a {}."

            An image that cannot be read does not end a run over many: it is reported on standard error, and the exit \
            code is 1.
            """)

    @Argument(help: .imagePaths)
    var paths: [String]

    @Option(name: .shortAndLong, help: .model)
    var model = ModelLocation.builtIn

    @Option(
        name: [.customShort("k"), .long],
        help: ArgumentHelp(
            "Number of classes per image. (default: 5; 1 as text for several images)", valueName: "k"))
    var topK: Int?

    @Option(name: .shortAndLong, help: .format)
    var format = ClassificationFormat.text

    @Option(help: .labels)
    var labels: String?

    @Option(
        help: ArgumentHelp("Also write the logits, one float32 row per classified image.", valueName: "out.npy"))
    var logits: String?

    @Option(help: .activation)
    var activation: HeadActivation?

    @Option(help: .batchSize)
    var batchSize = ImageClassifier.Options().batchSize

    @OptionGroup(title: "Classes in words (CLIP, SigLIP)")
    var words: ClassTextOptions

    @OptionGroup var source: WeightsOptions
    @OptionGroup var inference: InferenceOptions

    func validate() throws {
        if let topK, topK < 1 { throw ValidationError("--top-k takes a number from 1 up, not \(topK)") }
        try checkBatchSize(batchSize)
    }

    func run() throws {
        let unfinished = UnfinishedFiles()
        Interruption.watch(removing: unfinished)
        keepFreedMemory()
        try Processes.run(self, silencing: \.inference.shared.quiet) { command, communicator in
            try command.classify(unfinished, communicator)
        }
    }

    private func classify(_ unfinished: UnfinishedFiles, _ communicator: any Communicator) throws {
        let inputs = try InputPaths(expanding: paths).inputs
        let checkpoint = try ModelLocation.open(model, weights: source, isQuiet: inference.shared.quiet)
        let texts = try words.texts(for: checkpoint, labels: labels)
        let classifier = try ImageClassifier(
            checkpoint, labels: texts == nil ? readLabels(for: checkpoint) : nil, texts: texts,
            options: options(inputs, communicator)
        )
        checkpoint.noteAssumptions(usesHead: activation == nil, unless: inference.shared.quiet)
        inference.threads.noteShortage(in: classifier.engine, unless: inference.shared.quiet)
        guard communicator.isFirst else { return try classifier.classify(inputs) { _ in } }
        let logitsFile = try logits.map { path throws(FileError) in
            try NumPyWriter(path, columns: classifier.classCount, unfinished: unfinished)
        }
        let layout = TextLayout(inputs: inputs, labels: classifier.labels, topK: topK)
        let writer = format.writer(topK: topK ?? 5, layout: layout, activation: classifier.activation)
        var run = ClassificationRun(
            inputCount: inputs.count, writer: writer, logits: logitsFile, isStrict: inference.images.strict,
            showsProgress: !inference.shared.quiet)
        try classifier.encodeClasses(showsProgress: !inference.shared.quiet)
        try run.start()
        try classifier.classify(inputs) { try run.take($0) }
        try run.finish()
    }

    private func options(
        _ inputs: [InputPaths.Input], _ communicator: any Communicator
    ) -> ImageClassifier.Options {
        var options = ImageClassifier.Options()
        options.communicator = communicator
        inference.apply(to: &options)
        options.activation = activation
        options.tokenizer = words.tokenizer.tokenizer
        options.batchSize = min(batchSize, inputs.count)
        return options
    }

    private func readLabels(for checkpoint: Checkpoint) throws -> ClassLabels? {
        guard let labels, checkpoint.configuration.classCount > 0 else { return nil }
        return try ClassLabels(contentsOfFile: labels, count: checkpoint.configuration.classCount)
    }
}

extension ImageClassifier {
    /// Embeds the texts of the classes, if they are in words.
    func encodeClasses(showsProgress: Bool) throws {
        guard let count = texts?.count else { return }
        var progress = Progress(total: count, isShown: showsProgress)
        try model { progress.update($0) }
        progress.clear()
    }
}
