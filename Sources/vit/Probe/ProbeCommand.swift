import ArgumentParser
import Communication
import Datasets
import Models
import Support
import SwiftViT
import Training

struct ProbeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Evaluate frozen features with a linear probe or k-nearest neighbours.",
        discussion: """
            Examples:
              vit probe tiles/ --model run --method knn --validation-fraction 0.2
              vit probe tiles/ --model run/model --method linear --pool mean --layer 6
              vit probe tiles/ --model run/model --method linear --random
              vit probe tiles/ --model run/model --method linear --features tiles.npy

            The features of all images are computed once and kept in memory. --features keeps them in a file for the next \
            call, too; a file that another model made, or the same in another way, is refused. knn: the most similar \
            training images vote, as in DINO. linear: batch normalisation and a linear classifier, trained with several \
            learning rates in one pass; all results are printed. The best rate is chosen on the validation part where the \
            test part is evaluated, else on a tenth of the training images, with classifiers trained on the others. Data \
            that the model's run was trained on are split as they were then. --random keeps the model's \
            shape and preprocessing but draws initial weights, as a baseline.
            """)

    enum Method: String, ExpressibleByArgument, CaseIterable { case linear, knn }

    @Argument(help: .labeledData)
    var data: String

    @Option(help: "Evaluation protocol.")
    var method: Method

    @Option(name: .shortAndLong, help: .format)
    var format = ResultFormat.text

    @OptionGroup var features: FeatureOptions

    @Option(
        name: .customLong("features"),
        help: ArgumentHelp(
            "Keep the features in this file and those beside it, as vit embed writes them, and read those of unchanged images "
                + "from it the next time.", valueName: "file.npy"))
    var keptFeatures: String?

    @Flag(help: "Use random weights drawn from --seed instead of the checkpoint's.")
    var random = false

    @OptionGroup var part: LabeledDataOptions
    @OptionGroup(title: "Nearest neighbours") var neighbors: NeighborOptions
    @OptionGroup(title: "Linear classifiers") var linear: LinearProbeOptions

    @OptionGroup var source: WeightsOptions
    @OptionGroup var inference: InferenceOptions

    func validate() throws {
        if features.pool == .patches { throw ValidationError("--pool takes cls, mean or cls+mean here") }
        if part.split == .train {
            throw ValidationError("--split takes val or test here; the probe is trained on train")
        }
    }

    func run() throws {
        Interruption.watch(removing: UnfinishedFiles())
        try Processes.run(self, silencing: \.inference.shared.quiet) { command, communicator in
            try command.probe(communicator)
        }
    }

    private func probe(_ communicator: any Communicator) throws {
        var options = features.options(inference)
        options.communicator = communicator
        options.randomSeed = random ? part.seed : nil
        let embedder = try ImageEmbedder(
            ModelLocation.open(features.model, weights: source, isQuiet: inference.shared.quiet), options: options)
        embedder.checkpoint.noteAssumptions(unless: inference.shared.quiet)
        inference.threads.noteShortage(in: embedder.engine, unless: inference.shared.quiet)
        let recorded = try part.recordedSplit(of: embedder.checkpoint, data: data)
        let dataset = try ImageDataset(at: data, options: part.options(recorded: recorded))
        let parts = try parts(of: dataset)
        guard communicator.isFirst else {
            _ = try embedder.features(of: parts.map(dataset.samples), in: dataset, keptIn: keptFeatures) { _ in }
            return
        }
        var run = LabeledRun(
            data: data, total: parts.reduce(0) { $0 + dataset.samples($1).count }, verb: "embedded",
            isStrict: inference.images.strict, isQuiet: inference.shared.quiet)
        let measured = dataset.samples(parts[parts.count - 1])
        try run.show(dataset.notes + part.notes(on: measured, of: data, recorded: recorded))
        let tables = try embedder.features(of: parts.map(dataset.samples), in: dataset, keptIn: keptFeatures) {
            try run.take(path: $0.path, $0.result)
        }
        for (part, table) in zip(parts, tables) {
            try run.check(table.count, of: dataset.samples(part).count, in: part)
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

    /// The parts to train on and to evaluate, and between them the one to choose a rate on, where there is one.
    private func parts(of dataset: ImageDataset) throws -> [ImageDataset.Part] {
        let measured = try dataset.evaluationSamples(of: part.split?.part).part
        guard measured != .training, !dataset.training.isEmpty else {
            throw CommandFailure(
                .usage,
                "\(data): has only a \(measured.rawValue) part; expected one to train on and one to evaluate: add folders or "
                    + "a split column, or hold a part out with --validation-fraction")
        }
        let choosesElsewhere = method == .linear && measured == .test && !dataset.validation.isEmpty
        return choosesElsewhere ? [.training, .validation, .test] : [.training, measured]
    }

    private func voted(_ tables: [LabeledFeatures], _ report: ProbeReport) -> ProbeReport.Result {
        var probe = neighbors.probe
        probe.threads = inference.threads.threads
        var progress = Progress(total: tables[1].count, isShown: !inference.shared.quiet)
        let outcomes = probe.run(training: tables[0], evaluation: tables[1], classCount: report.classCount) {
            progress.update($0)
        }
        progress.clear()
        return .neighbors(outcomes, temperature: probe.temperature)
    }

    /// The rate is chosen on the validation part where another is evaluated, else on held-out images of the training part.
    private func trained(_ tables: [LabeledFeatures], _ report: ProbeReport) -> ProbeReport.Result {
        var probe = linear.probe
        probe.threads = inference.threads.threads
        probe.seed = part.seed
        let outcomes = fit(probe, on: tables[0], others: Array(tables.dropFirst()), report)
        var judges = outcomes
        if tables.count == 2, outcomes.count > 1, let (kept, heldOut) = tables[0].holdingOut() {
            judges = fit(probe, on: kept, others: [heldOut], report)
        }
        return .linear(
            outcomes, best: LinearProbe.best(of: judges), optimizer: probe.optimizer, epochs: probe.epochs)
    }

    private func fit(
        _ probe: LinearProbe, on training: LabeledFeatures, others: [LabeledFeatures], _ report: ProbeReport
    ) -> [LinearProbe.Outcome] {
        var progress: Progress?
        let outcomes = probe.run(training: training, others: others, classCount: report.classCount) { done, total in
            if progress == nil { progress = Progress(total: total, isShown: !inference.shared.quiet) }
            progress?.update(done)
        }
        progress?.clear()
        return outcomes
    }
}
