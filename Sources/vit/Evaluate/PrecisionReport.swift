import Models
import Support
import SwiftViT

/// The result of `vit evaluate --compare-precision`, as text and as JSON.
struct PrecisionReport {
    let data: String
    let model: String
    let results: [PrecisionScores]

    private static let head = ["precision", "top-1", "agreement", "mean difference", "largest", "ms per image"]

    private var count: Int { results.first?.scores.count ?? 0 }

    private func milliseconds(_ result: PrecisionScores) -> Double {
        count == 0 ? 0 : result.duration / .milliseconds(1) / Double(count)
    }

    var json: JSON {
        .object([
            JSON.Member("data", .string(data)), JSON.Member("model", .string(model)),
            JSON.Member("count", .integer(count)),
            JSON.Member("precisions", .array(results.map(row))),
        ])
    }

    private func row(_ result: PrecisionScores) -> JSON {
        .object([
            JSON.Member("precision", .string(result.precision.rawValue)),
            JSON.Member("correct", .integer(result.scores.correctCount)),
            JSON.Member("top1", .number(result.scores.top1)), JSON.Member("loss", .number(result.scores.loss)),
            JSON.Member("same_top1", .integer(result.agreementCount)),
            JSON.Member("mean_difference", .number(result.meanDifference)),
            JSON.Member("largest_difference", .number(result.largestDifference)),
            JSON.Member("milliseconds_per_image", .number(milliseconds(result))),
        ])
    }

    var text: String {
        let rows = results.map { result in
            [
                result.precision.rawValue, percent(result.scores.top1),
                percent(count == 0 ? 0 : Double(result.agreementCount) / Double(count)),
                fixed(result.meanDifference, 4), fixed(result.largestDifference, 4), fixed(milliseconds(result), 2),
            ]
        }
        return "\(printable(data)): \(count) images, \(printable(model))\n"
            + TextTable(header: Self.head, rows: rows).text
    }
}
