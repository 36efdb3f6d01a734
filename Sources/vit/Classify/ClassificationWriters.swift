import ArgumentParser
import Datasets
import Models
import Support
import SwiftViT

/// The output formats of `vit classify`.
enum ClassificationFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json, jsonl, csv

    func writer(topK: Int, layout: TextLayout) -> any ClassificationWriter {
        switch self {
        case .text: layout.isTable ? TableWriter(topK: topK) : LineWriter(layout: layout)
        case .json: JSONWriter(topK: topK)
        case .jsonl: JSONLinesWriter(topK: topK)
        case .csv: CSVWriter(topK: topK)
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

    func text(for input: ClassifiedInput) -> String { Self.object(for: input, topK: topK) + "\n" }

    static func object(for input: ClassifiedInput, topK: Int) -> String {
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

    private static func prediction(_ prediction: Prediction) -> JSON {
        .object([
            JSON.Member("index", .integer(prediction.index)),
            JSON.Member("label", .string(prediction.label)),
            JSON.Member("probability", .decimal(prediction.probability)),
        ])
    }
}

/// A JSON array of the same objects.
struct JSONWriter: ClassificationWriter {
    let topK: Int
    private var isFirst = true

    init(topK: Int) { self.topK = topK }

    func start() -> String { "[" }

    mutating func text(for input: ClassifiedInput) -> String {
        defer { isFirst = false }
        return (isFirst ? "\n  " : ",\n  ") + JSONLinesWriter.object(for: input, topK: topK)
    }

    func end() -> String { "\n]\n" }
}

/// Comma-separated values (RFC 4180, with Unix line endings); failed images are left out.
struct CSVWriter: ClassificationWriter {
    let topK: Int

    func start() -> String { "path,rank,index,label,probability\n" }

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
