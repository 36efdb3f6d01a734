import ArgumentParser
import Checkpoints
import Datasets
import SwiftViT
import Support

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measure how well a classifier knows labelled pictures.",
        discussion: """
            Examples:
              vit evaluate tiles/ --model run/model --validation-fraction 0.2
              vit evaluate photos.csv --model google/vit --split test --format json > scores.json

            The data are DATA/CLASS/…, DATA/train/CLASS/… with val or test, or a table with the columns \
            path,label[,split]; the classes are matched with the model's by name. Told are top-1 and top-5 accuracy, loss \
            (cross-entropy), expected calibration error (15 bins, Guo et al. 2017), precision, recall and F1 of each \
            class, and the confusion matrix. Pictures that cannot be read are named and do not count; the exit code is \
            1 then.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Argument(help: "A folder of class folders, or a table with the columns path,label[,split].")
    var data: String

    @Option(name: .shortAndLong, help: "A directory, a weights file, or the name of a folder under checkpoints/.")
    var model = ModelLocation.builtIn

    @Option(name: .shortAndLong, help: "How the result is written.")
    var format = Format.text

    @Option(help: ArgumentHelp("Names for the model's classes: a name a line, or JSON.", valueName: "file"))
    var labels: String?

    @Option(help: ArgumentHelp("Pictures computed at once; results do not depend on it.", valueName: "n"))
    var batchSize = 16

    @OptionGroup var part: LabeledDataOptions

    @OptionGroup(title: "Preprocessing, where it shall differ from the checkpoint's")
    var preprocessing: PreprocessingOptions

    @OptionGroup var images: ImageOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        if !(1...4096).contains(batchSize) {
            throw ValidationError("--batch-size takes a number from 1 to 4096, not \(batchSize)")
        }
    }

    func run() throws {
        Interruption.watch(removing: UnfinishedFiles())
        let classifier = try classifier()
        let dataset = try classifier.dataset(at: data, options: part.options)
        let asked = part.split?.part
        let (part, samples) = try dataset.evaluationSamples(of: asked)
        var run = LabeledRun(
            data: data, total: samples.count, verb: "evaluated", isStrict: images.strict, isQuiet: shared.quiet)
        run.tell(dataset.notes)
        let scores = try classifier.evaluate(samples, of: dataset) { try run.take(path: $0.path, $0.result) }
        try run.check(scores.count, of: samples.count, in: part)
        let report = EvaluationReport(
            data: data, model: classifier.checkpoint.path, part: asked == nil && part == .training ? nil : part,
            scores: scores, labels: classifier.labels, failures: run.failures)
        let output = StandardOutput()
        try output.write(format == .json ? report.json.text() + "\n" : report.text)
        try output.flush()
        try run.finish()
    }

    private func classifier() throws -> ImageClassifier {
        let checkpoint = try Checkpoint.open(ModelLocation.find(model))
        var options = ImageClassifier.Options()
        options.threads = threads.threads
        options.batchSize = batchSize
        options.overrides = preprocessing.overrides
        options.decoding = images.decoding
        let count = checkpoint.configuration.classCount
        let names = try count == 0 ? nil : labels.map { try ClassLabels(contentsOfFile: $0, count: count) }
        return try ImageClassifier(checkpoint, labels: names, options: options)
    }
}
