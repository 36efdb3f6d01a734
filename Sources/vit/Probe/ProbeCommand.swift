import ArgumentParser
import Checkpoints
import Datasets
import SwiftViT
import Models
import Training
import Support

struct ProbeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Measure how well frozen features tell labelled pictures apart.",
        discussion: """
            Examples:
              vit probe tiles/ --model run/model --method knn --validation-fraction 0.2
              vit probe tiles/ --model run/model --method linear --pool mean --layer 6 --validation-fraction 0.2
              vit probe tiles/ --model run/model --method linear --validation-fraction 0.2 --random

            The features of all pictures are computed once and kept in memory. knn: the training pictures of the largest \
            cosine vote, as DINO has it. linear: batch normalisation and a linear classifier, trained with many learning \
            rates in one pass; all are told, and the best one is that of the validation part. --random takes the model's \
            shape and preprocessing but weights that training would begin with: what the others are to be compared with.
            """)

    enum Method: String, ExpressibleByArgument, CaseIterable { case linear, knn }
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Argument(help: "A folder of class folders, or a table with the columns path,label[,split].")
    var data: String

    @Option(help: "Linear classifiers, or nearest neighbours.")
    var method: Method

    @Option(name: .shortAndLong, help: "How the result is written.")
    var format = Format.text

    @OptionGroup var features: FeatureOptions

    @Flag(help: "Use random weights instead of the model's, drawn from --seed.")
    var random = false

    @OptionGroup var part: LabeledDataOptions
    @OptionGroup(title: "Nearest neighbours") var neighbors: NeighborOptions
    @OptionGroup(title: "Linear classifiers") var linear: LinearProbeOptions

    @OptionGroup(title: "Preprocessing, where it shall differ from the checkpoint's")
    var preprocessing: PreprocessingOptions

    @OptionGroup var images: ImageOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        if features.pool == .patches { throw ValidationError("--pool takes cls, mean or cls+mean here") }
        if part.split == .train {
            throw ValidationError("--split takes val or test here; train is what is learned from")
        }
    }

    func run() throws {
        Interruption.watch(removing: UnfinishedFiles())
        var options = features.options(preprocessing: preprocessing, images: images, threads: threads)
        options.randomSeed = random ? part.seed : nil
        let embedder = try ImageEmbedder(Checkpoint.open(ModelLocation.find(features.model)), options: options)
        let dataset = try ImageDataset(at: data, options: part.options)
        let parts = try parts(of: dataset)
        var run = LabeledRun(
            data: data, total: parts.reduce(0) { $0 + dataset.samples($1).count }, verb: "embedded",
            isStrict: images.strict, isQuiet: shared.quiet)
        run.tell(dataset.notes)
        let tables = try parts.map { part in
            let table = try embedder.features(of: dataset.samples(part), in: dataset) {
                try run.take(path: $0.path, $0.result)
            }
            try run.check(table.count, of: dataset.samples(part).count, in: part)
            return table
        }
        var report = ProbeReport(
            data: data, model: embedder.checkpoint.path, isRandom: random, pooling: embedder.pooling,
            layer: features.layer, width: tables[0].width, classCount: dataset.classes.count,
            counts: Array(zip(parts, tables.map(\.count))))
        report.result = method == .knn ? voted(tables, report) : trained(tables, report)
        let output = StandardOutput()
        try output.write(format == .json ? report.json.text() + "\n" : report.text)
        try output.flush()
        try run.finish()
    }

    /// What is learned from, what the choice is made on, and what is measured; the last two may be the same.
    private func parts(of dataset: ImageDataset) throws -> [ImageDataset.Part] {
        let measured = try dataset.evaluationSamples(of: part.split?.part).part
        guard measured != .training, !dataset.training.isEmpty else {
            throw CommandFailure(
                .usage,
                "\(data): has only a \(measured.rawValue) part; expected one to learn from and one to measure on: add "
                    + "folders or a column of splits, or hold a part out with --validation-fraction")
        }
        let choosesElsewhere = method == .linear && measured == .test && !dataset.validation.isEmpty
        return choosesElsewhere ? [.training, .validation, .test] : [.training, measured]
    }

    private func voted(_ tables: [LabeledFeatures], _ report: ProbeReport) -> ProbeReport.Result {
        var probe = neighbors.probe
        probe.threads = threads.threads
        var progress = Progress(total: tables[1].count, isShown: !shared.quiet)
        let outcomes = probe.run(training: tables[0], evaluation: tables[1], classCount: report.classCount) {
            progress.update($0)
        }
        progress.clear()
        return .neighbors(outcomes, temperature: probe.temperature)
    }

    private func trained(_ tables: [LabeledFeatures], _ report: ProbeReport) -> ProbeReport.Result {
        var probe = linear.probe
        probe.threads = threads.threads
        probe.seed = part.seed
        var progress: Progress?
        let outcomes = probe.run(
            training: tables[0], others: Array(tables.dropFirst()), classCount: report.classCount
        ) { done, total in
            if progress == nil { progress = Progress(total: total, isShown: !shared.quiet) }
            progress?.update(done)
        }
        progress?.clear()
        return .linear(outcomes, optimizer: probe.optimizer, epochs: probe.epochs)
    }
}
