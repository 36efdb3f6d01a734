import Datasets
import Models
import Support
import SwiftViT

/// Prints the results of `vit attention` as they arrive.
struct AttentionRun {
    private let drawing: AttentionMaps.Drawing
    private let format: ResultFormat
    private var files: ImageFiles
    private let weights: NumPyWriter?
    private var results: ImageResults

    init(
        inputCount: Int, drawing: AttentionMaps.Drawing, format: ResultFormat, files: ImageFiles,
        weights: NumPyWriter?, isStrict: Bool, showsProgress: Bool
    ) {
        self.drawing = drawing
        self.format = format
        self.files = files
        self.weights = weights
        results = ImageResults(
            inputCount: inputCount, isJSON: format == .json, isStrict: isStrict, showsProgress: showsProgress)
    }

    /// Prints the result of the next input.
    mutating func take(_ input: AttendedInput) throws {
        switch input.result {
        case .success(let maps):
            try weights?.append(numbers(of: maps))
            let file = try files.write(maps.drawn(drawing), for: input.path)
            try results.show(text(maps, path: input.path, file: file))
        case .failure(let error): try results.take(error, of: input.path)
        }
        try results.countOne()
    }

    private func numbers(of maps: AttentionMaps) -> [Float] {
        switch drawing {
        case .sheet: maps.weights
        case .rollout: maps.rollout
        case .head(let head):
            Array(maps.weights[(head - 1) * maps.rollout.count..<head * maps.rollout.count])
        }
    }

    private func text(_ maps: AttentionMaps, path: String, file: String) -> String {
        guard format == .json else { return "\(printable(path))  layer \(maps.layer)  \(printable(file))\n" }
        let members = [
            JSON.Member("path", .string(path)), JSON.Member("layer", .integer(maps.layer)),
            JSON.Member("picture", .string(file)),
        ]
        return JSON.object(members).text(compact: true) + "\n"
    }

    /// Ends the output; throws if inputs failed, once everything else is done.
    mutating func finish() throws {
        let weights = weights
        try results.finish("drawn") { try weights?.finish() }
    }
}
