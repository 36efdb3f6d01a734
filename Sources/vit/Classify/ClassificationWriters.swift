import ArgumentParser
import Datasets
import Models
import Support
import SwiftViT

/// The output formats of `vit classify`.
enum ClassificationFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json, jsonl, csv

    func writer(topK: Int, layout: TextLayout, activation: HeadActivation) -> any ClassificationWriter {
        let score = activation == .identity ? "logit" : "probability"
        return switch self {
        case .text:
            layout.isTable
                ? TableWriter(topK: topK, activation: activation) : LineWriter(layout: layout, activation: activation)
        case .json: JSONWriter(topK: topK, score: score)
        case .jsonl: JSONLinesWriter(topK: topK, score: score)
        case .csv: CSVWriter(topK: topK, score: score)
        }
    }
}

/// Turns results into text, one at a time.
protocol ClassificationWriter {
    mutating func start() -> String
    mutating func text(for input: ClassifiedInput) -> String
    mutating func end() -> String
}

extension ClassificationWriter {
    func start() -> String { "" }
    func end() -> String { "" }
}

/// One JSON object per line.
struct JSONLinesWriter: ClassificationWriter {
    let topK: Int
    /// What the scores are called.
    let score: String

    func text(for input: ClassifiedInput) -> String { object(for: input) + "\n" }

    func object(for input: ClassifiedInput) -> String {
        var members = [JSON.Member("path", .string(input.path))]
        switch input.result {
        case .success(let classification):
            members += [
                JSON.Member("width", .integer(classification.width)),
                JSON.Member("height", .integer(classification.height)),
                JSON.Member("predictions", .array(classification.predictions(top: topK).map(prediction))),
            ]
        case .failure(let error):
            members.append(JSON.Member("error", .string(error.reason)))
        }
        return JSON.object(members).text(compact: true)
    }

    private func prediction(_ prediction: Prediction) -> JSON {
        .object([
            JSON.Member("index", .integer(prediction.index)),
            JSON.Member("label", .string(prediction.label)),
            JSON.Member(score, .decimal(prediction.probability)),
        ])
    }
}

/// A JSON array of the same objects.
struct JSONWriter: ClassificationWriter {
    private let objects: JSONLinesWriter
    private var isFirst = true

    init(topK: Int, score: String) { objects = JSONLinesWriter(topK: topK, score: score) }

    func start() -> String { "[" }

    mutating func text(for input: ClassifiedInput) -> String {
        defer { isFirst = false }
        return (isFirst ? "\n  " : ",\n  ") + objects.object(for: input)
    }

    func end() -> String { "\n]\n" }
}

/// Comma-separated values (RFC 4180, with Unix line endings); failed images are left out.
struct CSVWriter: ClassificationWriter {
    let topK: Int
    /// What the scores are called.
    let score: String

    func start() -> String { "path,rank,index,label,\(score)\n" }

    func text(for input: ClassifiedInput) -> String {
        guard case .success(let classification) = input.result else { return "" }
        let path = CSVField.text(input.path)
        var lines = ""
        for (rank, prediction) in classification.predictions(top: topK).enumerated() {
            let label = CSVField.text(prediction.label)
            lines += "\(path),\(rank + 1),\(prediction.index),\(label),\(prediction.probability)\n"
        }
        return lines
    }
}
