import Models
import Support

/// How good a classifier is on held-out images: the content of `evaluation.json`, and a section of the report.
struct EvaluationReport {
    private let step: Int
    private let imageCount: Int
    private let accuracy: Double
    private let loss: Double
    private let classes: [String]
    private let confusion: [[Int]]
    private let errors: [JSON]

    /// More classes make a table that nobody can read.
    private static let mostClasses = 60

    /// - Parameter errors: an object per image: path, label, predicted, probability and picture.
    init(step: Int, scores: ClassificationScores, classes: [String], errors: [JSON] = []) {
        (self.step, self.classes, self.errors) = (step, classes, errors)
        (imageCount, accuracy, loss) = (scores.count, scores.top1, scores.loss)
        confusion = scores.confusionMatrix
    }

    var json: JSON {
        .object([
            JSON.Member("step", .integer(step)), JSON.Member("images", .integer(imageCount)),
            JSON.Member("accuracy", .number(accuracy)), JSON.Member("loss", .number(loss)),
            JSON.Member("classes", .array(classes.map { .string($0) })),
            JSON.Member("confusion", .array(confusion.map { .array($0.map { .integer($0) }) })),
            JSON.Member("mistakes", .array(errors)),
        ])
    }

    func write(to run: RunDirectory) throws { try Files.write(json.text() + "\n", to: run.evaluation) }

    /// What a run last measured; nil where it has measured nothing.
    init?(of run: RunDirectory) throws(FileError) {
        guard let json = try JSON.readable(run.evaluation) else { return nil }
        self.init(json: json)
    }

    init?(json: JSON) {
        guard let step = json["step"]?.integer, let imageCount = json["images"]?.integer,
            let accuracy = json["accuracy"]?.double, let classes = json["classes"]?.elements,
            let confusion = json["confusion"]?.elements, let errors = json["mistakes"]?.elements
        else { return nil }
        self.step = step
        self.imageCount = imageCount
        self.accuracy = accuracy
        loss = json["loss"]?.double ?? .nan
        self.classes = classes.compactMap(\.string)
        self.confusion = confusion.compactMap(\.integers)
        self.errors = errors
        let size = self.classes.count
        guard self.confusion.count == size, self.confusion.allSatisfy({ $0.count == size }) else { return nil }
    }

    /// The section, with the images of errors in `directory`.
    func html(images directory: String) throws(FileError) -> String {
        var html = "<h2>Best model</h2>\n<p>Step \(step): \(fixed(100 * accuracy, 2)) % of \(imageCount) held-out "
        html += "images are classified correctly.</p>\n"
        if classes.count <= Self.mostClasses { html += table }
        var figures: [String] = []
        for error in errors { if let figure = try figure(error, directory) { figures.append(figure) } }
        guard !figures.isEmpty else { return html }
        html += "<h2>Most confident errors</h2>\n<div class=\"errors\">\n"
        return html + figures.joined() + "</div>\n"
    }

    /// A row per class, a column per prediction; the darker, the more of the row's images.
    private var table: String {
        var html =
            "<h2>Confusion matrix</h2>\n<p>Rows are true classes, columns are predicted ones.</p>\n"
        html += "<table class=\"confusion\"><tr><th></th>"
        for index in classes.indices { html += "<th>\(index + 1)</th>" }
        html += "<th>recall</th></tr>\n"
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

    private func figure(_ error: JSON, _ directory: String) throws(FileError) -> String? {
        guard let path = error["path"]?.string, let label = error["label"]?.string,
            let predicted = error["predicted"]?.string, let probability = error["probability"]?.double,
            let name = error["picture"]?.string,
            let bytes = try RunReport.Figure.bytes(of: Files.join(directory, name))
        else { return nil }
        let caption = "\(label), predicted \(predicted) (\(fixed(100 * probability, 1)) %): \(path)"
        return RunReport.Figure(caption: caption, bytes: bytes).html
    }
}
