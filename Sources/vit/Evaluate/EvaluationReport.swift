import Datasets
import Models
import Support
import SwiftViT
import Training

/// The result of `vit evaluate`, as text and as JSON.
struct EvaluationReport {
    let data: String
    let model: String
    /// The part that was evaluated; nil: all images of data that are not split.
    let part: ImageDataset.Part?
    let scores: ClassificationScores
    let labels: ClassLabels
    let failures: [InputError]

    /// The largest number of classes whose confusion matrix is printed as text.
    private static let largestTable = 25
    /// The largest number of classes whose confusion matrix is written as JSON: a million numbers.
    private static let largestMatrix = 1000
    /// The number of confusions listed in place of a larger matrix.
    private static let listedConfusions = 20

    var json: JSON {
        .object([
            JSON.Member("data", .string(data)), JSON.Member("model", .string(model)),
            JSON.Member("part", .string(part?.rawValue ?? "all")), JSON.Member("count", .integer(scores.count)),
            JSON.Member("correct", .integer(scores.correctCount)), JSON.Member("top1", .number(scores.top1)),
            JSON.Member(
                "top1_interval",
                .array([.number(scores.top1Interval.lowerBound), .number(scores.top1Interval.upperBound)])),
            JSON.Member("top5", .number(scores.top5)), JSON.Member("loss", .number(scores.loss)),
            JSON.Member("calibration_error", .number(scores.calibrationError)),
            JSON.Member("balanced_accuracy", .number(scores.balancedAccuracy)),
            JSON.Member("macro_f1", .number(scores.macroF1)),
            JSON.Member("classes", .array(scores.classes.enumerated().map { classJSON($0, $1) })),
            JSON.Member("confusion", confusionJSON),
            JSON.Member("errors", .array(failures.map(Self.errorJSON))),
        ])
    }

    private func classJSON(_ index: Int, _ score: ClassificationScores.ClassScore) -> JSON {
        .object([
            JSON.Member("index", .integer(index)), JSON.Member("label", .string(labels[index])),
            JSON.Member("count", .integer(score.count)), JSON.Member("precision", .number(score.precision)),
            JSON.Member("recall", .number(score.recall)), JSON.Member("f1", .number(score.f1)),
        ])
    }

    /// Rows are true classes, columns predictions; null for too many classes.
    private var confusionJSON: JSON {
        guard scores.classCount <= Self.largestMatrix else { return .null }
        return .array(scores.confusionMatrix.map { .array($0.map { .integer($0) }) })
    }

    private static func errorJSON(_ error: InputError) -> JSON {
        .object([JSON.Member("path", .string(error.path)), JSON.Member("error", .string(error.reason))])
    }

    var text: String {
        let images = part.map { "images of the \($0.rawValue) part" } ?? "images"
        return """
            \(printable(data)): \(scores.count) \(images), \(shown.count) classes
            top-1              \(percent(scores.top1))   \(scores.correctCount) of \(scores.count), 95 % interval \(interval)
            top-5              \(percent(scores.top5))
            loss               \(fixed(scores.loss, 4))
            calibration error  \(percent(scores.calibrationError))   expected, \(ClassificationScores.binCount) bins

            \(classTable)
            \(shown.count <= Self.largestTable ? confusionTable : confusionList)
            """
    }

    /// The bounds of the accuracy.
    private var interval: String {
        let bounds = scores.top1Interval
        return "\(fixed(100 * bounds.lowerBound, 2)) to \(fixed(100 * bounds.upperBound, 2)) %"
    }

    /// The classes that have images or were predicted.
    private var shown: [Int] {
        scores.classes.indices.filter { scores.classes[$0].count + scores.classes[$0].answerCount > 0 }
    }

    private var classTable: String {
        let rows = shown.map { index in
            let score = scores.classes[index]
            return [
                labels[index], "\(score.count)", percent(score.precision), percent(score.recall), percent(score.f1),
            ]
        }
        let balanced = percent(scores.balancedAccuracy)
        let mean = ["mean", "\(scores.count)", "", balanced, percent(scores.macroF1)]
        return TextTable(header: ["class", "images", "precision", "recall", "F1"], rows: rows + [mean]).text
    }

    /// Predictions in the columns, each under the row number of its class; zeros are dots.
    private var confusionTable: String {
        let matrix = scores.confusionMatrix
        let rows = shown.enumerated().map { row, truth in
            ["\(row + 1) \(labels[truth])"] + shown.map { matrix[truth][$0] == 0 ? "·" : "\(matrix[truth][$0])" }
        }
        return TextTable(header: ["true \\ predicted"] + shown.indices.map { "\($0 + 1)" }, rows: rows).text
    }

    private var confusionList: String {
        let wrong = scores.pairs.filter { $0.confusion.truth != $0.confusion.answer }
        let most = wrong.sorted { $0.count > $1.count }.prefix(Self.listedConfusions)
        let rows = most.map { [labels[$0.confusion.truth], labels[$0.confusion.answer], "\($0.count)"] }
        return TextTable(header: ["true class", "predicted as", "count"], rows: rows).text
    }
}
