import Datasets
import Models
import Support
import SwiftViT
import Training

/// The result of `vit probe`, as text and as JSON.
struct ProbeReport {
    enum Result {
        case neighbors([NearestNeighborProbe.Outcome], temperature: Double)
        /// `best`: the index of the rate that was chosen; nil where all diverged.
        case linear([LinearProbe.Outcome], best: Int?, optimizer: LinearProbe.Optimizer, epochs: Int)
    }

    let data: String
    let model: String
    let isRandom: Bool
    let pooling: FeaturePooling
    let layer: Int?
    let width: Int
    let classCount: Int
    /// The parts and their numbers of images: the training part first, the evaluated part last.
    let counts: [(part: ImageDataset.Part, count: Int)]
    var result = Result.neighbors([], temperature: 0)

    private var measured: (part: ImageDataset.Part, count: Int) { counts[counts.count - 1] }

    var json: JSON {
        var members = [
            JSON.Member("data", .string(data)), JSON.Member("model", .string(model)),
            JSON.Member("random", .bool(isRandom)), JSON.Member("pool", .string(pooling.rawValue)),
            JSON.Member("layer", layer.map { .integer($0) } ?? .null), JSON.Member("width", .integer(width)),
            JSON.Member("classes", .integer(classCount)),
            JSON.Member("counts", .object(counts.map { JSON.Member($0.part.rawValue, .integer($0.count)) })),
            JSON.Member("part", .string(measured.part.rawValue)),
        ]
        switch result {
        case .neighbors(let outcomes, let temperature):
            members += [
                JSON.Member("method", .string("knn")), JSON.Member("temperature", .number(temperature)),
                JSON.Member("results", .array(outcomes.map(Self.json))),
            ]
        case .linear(let outcomes, let best, let optimizer, let epochs):
            members += [
                JSON.Member("method", .string("linear")), JSON.Member("optimizer", .string(optimizer.rawValue)),
                JSON.Member("epochs", .integer(epochs)), JSON.Member("results", .array(outcomes.map(json))),
                JSON.Member("best", best.map { json(outcomes[$0]) } ?? .null),
            ]
        }
        return .object(members)
    }

    private static func json(_ outcome: NearestNeighborProbe.Outcome) -> JSON {
        .object([
            JSON.Member("k", .integer(outcome.neighborCount)), JSON.Member("top1", .number(outcome.top1)),
            JSON.Member("top5", .number(outcome.top5)),
        ])
    }

    /// The scores of each evaluated part under its name; null if training diverged.
    private func json(_ outcome: LinearProbe.Outcome) -> JSON {
        let rates = [JSON.Member("blr", .number(outcome.baseRate)), JSON.Member("lr", .number(outcome.rate))]
        let scores = zip(counts.dropFirst(), outcome.scores).map { part, scores in
            JSON.Member(
                part.part.rawValue,
                outcome.hasConverged
                    ? .object([
                        JSON.Member("top1", .number(scores.top1)), JSON.Member("top5", .number(scores.top5)),
                        JSON.Member("loss", .number(scores.loss)),
                    ]) : .null)
        }
        return .object(rates + scores)
    }

    var text: String {
        let parts = counts.map { "\($0.count) \($0.part.rawValue)" }.joined(separator: ", ")
        let place = layer.map { "layer \($0)" } ?? "last layer"
        return """
            \(printable(data)): \(parts) images, \(classCount) classes
            \(printable(model))\(isRandom ? ", random weights" : ""): \(pooling.rawValue) of the \(place), \(width) numbers

            \(table)
            """
    }

    private var table: String {
        switch result {
        case .neighbors(let outcomes, _):
            let rows = outcomes.map { ["\($0.neighborCount)", percent($0.top1), percent($0.top5)] }
            return TextTable(header: ["k", "top-1", "top-5"], rows: rows).text
        case .linear(let outcomes, let best, _, _):
            let parts = counts.dropFirst().map(\.part.rawValue)
            let header = ["base rate", "rate"] + parts.flatMap { ["\($0) top-1", "top-5", "loss"] } + [""]
            let rows = outcomes.enumerated().map { index, outcome in
                ["\(outcome.baseRate)", "\(outcome.rate)"] + outcome.scores.flatMap(cells)
                    + [index == best ? "best" : ""]
            }
            return TextTable(header: header, rows: rows).text
        }
    }

    private func cells(_ scores: ClassificationScores) -> [String] {
        scores.loss.isFinite
            ? [percent(scores.top1), percent(scores.top5), fixed(scores.loss, 4)] : ["diverged", "", ""]
    }
}
