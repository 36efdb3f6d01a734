import ArgumentParser
import Communication
import Datasets
import Models
import Support
import SwiftViT

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Evaluate a classifier on labelled images.",
        discussion: """
            Examples:
              vit evaluate tiles/ --model run
              vit evaluate tiles/ --model vit-b16 --validation-fraction 0.2
              vit evaluate photos.csv --model vit-b16 --split test --format json > out.json
              vit evaluate tiles/ --model run --compare-precision
              vit evaluate pets/ --model clip --classes cat dog --prompt "a photo of a {}."

            The data are DATA/CLASS/…, DATA/train/CLASS/… with val or test, or a table with the columns \
            path,label[,split]; classes are matched with the model's by name. Data that the model's run was trained on \
            are split as they were then. Reports top-1 and top-5 accuracy, \
            cross-entropy loss, expected calibration error (15 bins, Guo et al. 2017), precision, recall and F1 per \
            class, and the confusion matrix. Images that cannot be read are reported and do not count; the exit code is \
            then 1.
            """)

    @Argument(help: .labeledData)
    var data: String

    @Option(name: .shortAndLong, help: .model)
    var model = ModelLocation.builtIn

    @Option(name: .shortAndLong, help: .format)
    var format = ResultFormat.text

    @Option(help: .labels)
    var labels: String?

    @Option(help: .activation)
    var activation: HeadActivation?

    @Option(help: .batchSize)
    var batchSize = 16

    @Option(
        help: ArgumentHelp(
            "Also write a table with the columns path,label,prediction,probability, a line per image.",
            valueName: "out.csv"))
    var predictions: String?

    @Flag(
        help: """
            Instead of the report, print what each precision costs on these images: accuracy, agreement with float32, \
            differences of logits, and time.
            """)
    var comparePrecision = false

    @OptionGroup(title: "Classes in words (CLIP, SigLIP)")
    var words: ClassTextOptions

    @OptionGroup var part: LabeledDataOptions

    @OptionGroup var source: WeightsOptions
    @OptionGroup var inference: InferenceOptions

    func validate() throws {
        try checkBatchSize(batchSize)
        if activation == .identity {
            throw ValidationError("--activation takes softmax or sigmoid here: probabilities")
        }
        if comparePrecision, predictions != nil {
            throw ValidationError("--predictions are those of one precision; leave out --compare-precision")
        }
        if comparePrecision, inference.precision.precision != .float32 {
            throw ValidationError("--compare-precision takes all precisions; leave out --precision")
        }
    }

    func run() throws {
        let unfinished = UnfinishedFiles()
        Interruption.watch(removing: unfinished)
        try Processes.run(self, silencing: \.inference.shared.quiet) { command, communicator in
            // What times the model is for one process.
            if !comparePrecision || communicator.isFirst { try command.evaluate(unfinished, communicator) }
        }
    }

    private func evaluate(_ unfinished: UnfinishedFiles, _ communicator: any Communicator) throws {
        if communicator.isFirst, let predictions { try OutputFile.checkPlace(predictions) }
        let classifier = try classifier(comparePrecision ? SingleProcess() : communicator)
        if !comparePrecision { try classifier.encodeClasses(showsProgress: !inference.shared.quiet) }
        classifier.checkpoint.noteAssumptions(usesHead: activation == nil, unless: inference.shared.quiet)
        inference.threads.noteShortage(in: classifier.engine, unless: inference.shared.quiet)
        let recorded = try part.recordedSplit(of: classifier.checkpoint, data: data)
        let dataset = try classifier.dataset(at: data, options: part.options(recorded: recorded))
        let asked = part.split?.part
        let (measured, samples) = try dataset.evaluationSamples(of: asked)
        guard communicator.isFirst else {
            _ = try classifier.evaluate(samples, of: dataset) { _ in }
            return
        }
        var run = LabeledRun(
            data: data, total: samples.count, verb: "evaluated", isStrict: inference.images.strict,
            isQuiet: inference.shared.quiet)
        try run.show(dataset.notes + part.notes(on: samples, of: data, recorded: recorded))
        if comparePrecision { return try compare(classifier, samples, of: dataset, in: measured, &run) }
        var table = "path,label,prediction,probability\n"
        var labels = samples.lazy.map(\.label).makeIterator()
        let scores = try classifier.evaluate(samples, of: dataset) { input in
            let label = labels.next() ?? nil
            if predictions != nil, let label, let answer = try? input.result.get().predictions(top: 1).first {
                let fields = [input.path, classifier.labels[label], answer.label, "\(answer.probability)"]
                table += fields.map(CSVField.text).joined(separator: ",") + "\n"
            }
            try run.take(path: input.path, input.result)
        }
        try run.check(scores.count, of: samples.count, in: measured)
        let report = EvaluationReport(
            data: data, model: classifier.checkpoint.path,
            part: asked == nil && measured == .training ? nil : measured, scores: scores, labels: classifier.labels,
            failures: run.failures)
        if let predictions { try Files.write(table, to: predictions, unfinished: unfinished) }
        let output = StandardOutput()
        try output.write(format == .json ? report.json.text() + "\n" : report.text)
        try output.flush()
        try run.finish()
    }

    private func compare(
        _ classifier: ImageClassifier, _ samples: [ImageDataset.Sample], of dataset: ImageDataset,
        in part: ImageDataset.Part, _ run: inout LabeledRun
    ) throws {
        let results = try classifier.comparePrecisions(samples, of: dataset) { path, result in
            try run.take(path: path, result)
        }
        try run.check(results.first?.scores.count ?? 0, of: samples.count, in: part)
        let report = PrecisionReport(data: data, model: classifier.checkpoint.path, results: results)
        let output = StandardOutput()
        try output.write(format == .json ? report.json.text() + "\n" : report.text)
        try output.flush()
        try run.finish()
    }

    private func classifier(_ communicator: any Communicator) throws -> ImageClassifier {
        let checkpoint = try ModelLocation.open(model, weights: source, isQuiet: inference.shared.quiet)
        var options = ImageClassifier.Options()
        inference.apply(to: &options)
        options.batchSize = batchSize
        options.communicator = communicator
        options.activation = activation
        options.tokenizer = words.tokenizer.tokenizer
        if activation == nil, checkpoint.headActivation == .identity {
            throw CommandFailure(
                .malformedData,
                "\(checkpoint.path): has a head for regression, which has no classes; to measure it as a classifier, "
                    + "name its --activation, softmax or sigmoid")
        }
        if let texts = try words.texts(for: checkpoint, labels: labels) {
            return try ImageClassifier(checkpoint, texts: texts, options: options)
        }
        let count = checkpoint.configuration.classCount
        let names = try count == 0 ? nil : labels.map { try ClassLabels(contentsOfFile: $0, count: count) }
        return try ImageClassifier(checkpoint, labels: names, options: options)
    }
}
