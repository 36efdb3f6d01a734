import Datasets
import Models
import Support

extension Rotation {
    package func describe(
        _ report: inout RunReport, metrics: RunReport.Lines, directory: RunDirectory, step: Int
    ) throws(FileError) {
        report.subject = "Rotation prediction"
        report.charts = [
            metrics.accuracyChart("Accuracy of the rotations on held-out images"),
            metrics.lossChart("Cross-entropy of the rotations"),
        ]
        guard let evaluation = try EvaluationReport(of: directory) else { return }
        let text = "<p>Every held-out image is measured in all four rotations; each counts as an image.</p>\n"
        report.sections = [try evaluation.html(images: directory.errors) + text]
    }

    package func describe(_ plan: inout RunPlan, dataset: ImageDataset, given: Set<String>) {
        plan.input += ", \(ImageRotation.count) views per image"
        plan.rows = [
            ("classes", "rotations by \(Self.labels.joined(separator: ", "))"),
            ("augmentation", settings.method.augment.rawValue),
        ]
        if dataset.validation.isEmpty {
            plan.warnings.append(
                "Nothing is held out, so accuracy is not measured and the last model becomes the result; "
                    + "--validation-fraction 0.1 selects the best.")
        }
    }

    /// A measurement for people.
    func sentence(_ scores: ClassificationScores) -> String {
        "\(fixed(100 * scores.top1, 2)) % of the rotations of \(scores.count / ImageRotation.count) held-out images "
            + "correct, loss \(fixed(scores.loss, 4))"
    }
}
