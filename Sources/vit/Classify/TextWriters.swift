import Datasets
import Models
import Support
import SwiftViT

/// The layout of results as text, fixed before the first one arrives, since each is printed as it arrives.
struct TextLayout {
    /// Whether there is a single image, which gets a table.
    let isTable: Bool
    /// Classes printed on an image's line.
    let classesPerLine: Int
    let pathWidth: Int
    let labelWidth: Int

    private static let widestPath = 60
    private static let widestLabel = 40

    init(inputs: [InputPaths.Input], labels: ClassLabels, topK: Int?) {
        isTable = inputs.count == 1
        classesPerLine = topK ?? 1
        pathWidth = min(Self.widestPath, inputs.lazy.map { printable($0.path).count }.max() ?? 0)
        labelWidth = min(Self.widestLabel, labels.names?.lazy.map { printable($0).count }.max() ?? 10)
    }
}

/// One line per image: path, best class, probability.
struct LineWriter: ClassificationWriter {
    let layout: TextLayout
    let activation: HeadActivation

    func text(for input: ClassifiedInput) -> String {
        guard case .success(let classification) = input.result else { return "" }
        var line = printable(input.path).padded(to: layout.pathWidth)
        for (rank, prediction) in classification.predictions(top: layout.classesPerLine).enumerated() {
            line += rank == 0 ? "  " : " · "
            line += printable(prediction.label).padded(to: rank == 0 ? layout.labelWidth : 0)
            line += "  \(activation.text(prediction.probability))"
        }
        return line + "\n"
    }
}

/// The classes of one image, each with a bar.
struct TableWriter: ClassificationWriter {
    let topK: Int
    let activation: HeadActivation
    private static let barWidth = 24

    func text(for input: ClassifiedInput) -> String {
        guard case .success(let classification) = input.result else { return "" }
        let predictions = classification.predictions(top: topK)
        let width = predictions.map { printable($0.label).count }.max() ?? 0
        var text = "\(printable(input.path))  \(classification.width) × \(classification.height)\n"
        for prediction in predictions {
            let label = printable(prediction.label).padded(to: width)
            text += "  \(label)  \(activation.text(prediction.probability))"
            if activation != .identity { text += "  \(Self.bar(prediction.probability))" }
            while text.last == " " { text.removeLast() }
            text += "\n"
        }
        return text
    }

    /// A bar, to an eighth of a character.
    private static func bar(_ fraction: Float) -> String {
        let eighths = Int((fraction * Float(barWidth) * 8).rounded())
        let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        return String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
    }
}

extension HeadActivation {
    /// A probability, padded to a fixed width; a logit where there is no activation.
    fileprivate func text(_ score: Float) -> String {
        if self == .identity { return fixed(Double(score), 4) }
        let text = fixed(Double(score) * 100, 1)
        return String(repeating: " ", count: max(0, 5 - text.count)) + text + " %"
    }
}

extension String {
    /// The text with spaces up to `width` characters.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
