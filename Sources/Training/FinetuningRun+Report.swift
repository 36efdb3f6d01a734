import Checkpoints
import Imaging
import Support

extension FinetuningRun {
    /// Writes how good the best model is: `evaluation.json`, and its surest mistakes as pictures.
    func writeEvaluation(_ outcome: ValidationOutcome, _ validation: Validation, _ loop: TrainingLoop) throws {
        let classes = settings.classes
        let scores = outcome.scores
        var mistakes: [JSON] = []
        try OutputDirectory.write(loop.directory.mistakes, existing: .replace) { directory in
            for (number, mistake) in outcome.mistakes.enumerated() {
                guard let image = validation.image(mistake.path) else { continue }
                let name = "\(number + 1).jpg"
                try Files.write(image.encodedJPEG(quality: 90), to: Files.join(directory, name))
                mistakes.append(
                    .object([
                        JSON.Member("path", .string(mistake.path)),
                        JSON.Member("label", .string(classes[mistake.label])),
                        JSON.Member("predicted", .string(classes[mistake.predicted])),
                        JSON.Member("probability", .number(mistake.probability)),
                        JSON.Member("picture", .string(name)),
                    ]))
            }
        }
        let confusion = scores.confusionMatrix.map { JSON.array($0.map { .integer($0) }) }
        let json = JSON.object([
            JSON.Member("step", .integer(loop.state.step)), JSON.Member("images", .integer(scores.count)),
            JSON.Member("accuracy", .number(scores.top1)), JSON.Member("loss", .number(scores.loss)),
            JSON.Member("classes", .array(classes.map { .string($0) })),
            JSON.Member("confusion", .array(confusion)), JSON.Member("mistakes", .array(mistakes)),
        ])
        try Files.write(json.text() + "\n", to: loop.directory.evaluation)
    }

    /// Writes `report.html` from the run's metrics and the evaluation of its best model.
    func writeReport(_ loop: TrainingLoop) throws {
        var report = RunReport(
            title: Files.name(of: loop.directory.path),
            summary:
                "Classifier of \(settings.classes.count) classes, \(loop.state.step) of \(settings.steps) steps of "
                + "\(settings.effectiveBatch) images.",
            settings: settings.json)
        let lines = RunReport.Lines(loop.metrics.lines)
        report.charts =
            [
                LineChart(
                    title: "Loss (that of the training includes smoothing and mixing)", horizontal: "step",
                    lines: [lines.line("training", "loss", .blue), lines.line("held out", "validation_loss", .orange)]),
                LineChart(
                    title: "Share of held-out images that are right", horizontal: "step",
                    lines: [lines.line("right", "validation_accuracy", .orange)]),
            ] + lines.rateAndNorm
        if let json = try? JSON.file(loop.directory.evaluation), let evaluation = EvaluationSection(json: json) {
            report.sections = [evaluation.html(pictures: loop.directory.mistakes)]
        }
        try Files.write(report.html, to: loop.directory.report)
    }
}

/// What `evaluation.json` holds, for people.
private struct EvaluationSection {
    private let step: Int
    private let imageCount: Int
    private let accuracy: Double
    private let classes: [String]
    private let confusion: [[Int]]
    private let mistakes: [JSON]

    /// More classes make a table that nobody reads.
    private static let mostClasses = 60

    init?(json: JSON) {
        guard let step = json["step"]?.integer, let imageCount = json["images"]?.integer,
            let accuracy = json["accuracy"]?.double, let classes = json["classes"]?.elements,
            let confusion = json["confusion"]?.elements, let mistakes = json["mistakes"]?.elements
        else { return nil }
        self.step = step
        self.imageCount = imageCount
        self.accuracy = accuracy
        self.classes = classes.compactMap(\.string)
        self.confusion = confusion.compactMap(\.integers)
        self.mistakes = mistakes
        let size = self.classes.count
        guard self.confusion.count == size, self.confusion.allSatisfy({ $0.count == size }) else { return nil }
    }

    func html(pictures directory: String) -> String {
        var html = "<h2>The best model</h2>\n<p>After step \(step), \(fixed(100 * accuracy, 2)) % of \(imageCount) "
        html += "held-out images are right.</p>\n"
        if classes.count <= Self.mostClasses { html += table }
        let figures = mistakes.compactMap { figure($0, directory) }
        guard !figures.isEmpty else { return html }
        html += "<h2>The surest mistakes</h2>\n<div class=\"mistakes\">\n"
        return html + figures.joined() + "</div>\n"
    }

    /// A row a class, a column what it was taken for; the darker, the more of the row's images.
    private var table: String {
        var html =
            "<h2>What was taken for what</h2>\n<p>A row has the images of a class, a column what they were taken for.</p>\n"
        html += "<table class=\"confusion\"><tr><th></th>"
        for index in classes.indices { html += "<th>\(index + 1)</th>" }
        html += "<th>right</th></tr>\n"
        for (row, counts) in confusion.enumerated() {
            let sum = counts.reduce(0, +)
            html += "<tr><th>\(row + 1) \(escaped(classes[row]))</th>"
            for (column, count) in counts.enumerated() {
                let share = Double(count) / Double(max(1, sum))
                let colour = row == column ? "43,138,62" : "217,84,30"
                html += "<td style=\"background:rgba(\(colour),\(fixed(0.85 * share.squareRoot(), 2)))\">"
                html += count == 0 ? "</td>" : "\(count)</td>"
            }
            html += "<td>\(sum == 0 ? "–" : fixed(100 * Double(counts[row]) / Double(sum), 1) + " %")</td></tr>\n"
        }
        return html + "</table>\n"
    }

    private func figure(_ mistake: JSON, _ directory: String) -> String? {
        guard let path = mistake["path"]?.string, let label = mistake["label"]?.string,
            let predicted = mistake["predicted"]?.string, let probability = mistake["probability"]?.double,
            let name = mistake["picture"]?.string, let bytes = try? Files.bytes(of: Files.join(directory, name))
        else { return nil }
        let caption = "\(label), taken for \(predicted) with \(fixed(100 * probability, 1)) %: \(path)"
        return RunReport.Picture(caption: caption, bytes: bytes).html
    }
}
