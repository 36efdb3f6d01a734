import Checkpoints
import Datasets
import SwiftViT
import Models
import Training
import Support

/// The result of `vit evaluate`, for people and for programs.
struct EvaluationReport {
    let data: String
    let model: String
    /// The part that was measured; nil: all pictures, of data without parts.
    let part: ImageDataset.Part?
    let scores: ClassificationScores
    let labels: ClassLabels
    let failures: [InputError]

    /// The most classes whose confusion matrix is written out as text.
    private static let largestTable = 25
    /// The most classes whose confusion matrix is written as JSON: a million numbers.
    private static let largestMatrix = 1000
    /// Confusions that are listed where there is no matrix.
    private static let listedConfusions = 20

    var json: JSON {
        .object([
            JSON.Member("data", .string(data)), JSON.Member("model", .string(model)),
            JSON.Member("part", .string(part?.rawValue ?? "all")), JSON.Member("count", .integer(scores.count)),
            JSON.Member("correct", .integer(scores.correctCount)), JSON.Member("top1", .number(scores.top1)),
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

    /// Rows are true classes, columns answers; null for more classes than anybody reads.
    private var confusionJSON: JSON {
        guard scores.classCount <= Self.largestMatrix else { return .null }
        return .array(scores.confusionMatrix.map { .array($0.map { .integer($0) }) })
    }

    private static func errorJSON(_ error: InputError) -> JSON {
        .object([JSON.Member("path", .string(error.path)), JSON.Member("error", .string(error.reason))])
    }

    var text: String {
        let pictures = part.map { "pictures of the \($0.rawValue) part" } ?? "pictures"
        return """
            \(printable(data)): \(scores.count) \(pictures), \(shown.count) classes
            top-1              \(percent(scores.top1))   \(scores.correctCount) of \(scores.count)
            top-5              \(percent(scores.top5))
            loss               \(fixed(scores.loss, 4))
            calibration error  \(percent(scores.calibrationError))   expected, \(ClassificationScores.binCount) bins

            \(classTable)
            \(shown.count <= Self.largestTable ? confusionTable : confusionList)
            """
    }

    /// The classes that have pictures or were answered.
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
        return TextTable(header: ["class", "pictures", "precision", "recall", "F1"], rows: rows + [mean]).text
    }

    /// Answers in the columns, under the row's number of their class; zeros are dots.
    private var confusionTable: String {
        let matrix = scores.confusionMatrix
        let rows = shown.enumerated().map { row, truth in
            ["\(row + 1) \(labels[truth])"] + shown.map { matrix[truth][$0] == 0 ? "·" : "\(matrix[truth][$0])" }
        }
        return TextTable(header: ["truth \\ answer"] + shown.indices.map { "\($0 + 1)" }, rows: rows).text
    }

    private var confusionList: String {
        let wrong = scores.pairs.filter { $0.confusion.truth != $0.confusion.answer }
        let most = wrong.sorted { $0.count > $1.count }.prefix(Self.listedConfusions)
        let rows = most.map { [labels[$0.confusion.truth], labels[$0.confusion.answer], "\($0.count)"] }
        return TextTable(header: ["most often mistaken", "for", "times"], rows: rows).text
    }
}
