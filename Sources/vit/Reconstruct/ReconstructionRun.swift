import Datasets
import Models
import Support
import SwiftViT

/// Prints the results of `vit reconstruct` as they arrive.
struct ReconstructionRun {
    private let format: ResultFormat
    private var files: ImageFiles
    private let prediction: NumPyWriter?
    private var results: ImageResults

    init(
        inputCount: Int, format: ResultFormat, files: ImageFiles, prediction: NumPyWriter?, isStrict: Bool,
        showsProgress: Bool
    ) {
        self.format = format
        self.files = files
        self.prediction = prediction
        results = ImageResults(
            inputCount: inputCount, isJSON: format == .json, isStrict: isStrict, showsProgress: showsProgress)
    }

    /// Prints the result of the next input.
    mutating func take(_ input: ReconstructedInput) throws {
        switch input.result {
        case .success(let reconstruction):
            try prediction?.append(reconstruction.prediction)
            let file = try files.write(reconstruction.panels(), for: input.path)
            try results.show(text(reconstruction, path: input.path, file: file))
        case .failure(let error): try results.take(error, of: input.path)
        }
        try results.countOne()
    }

    private func text(_ reconstruction: Reconstruction, path: String, file: String) -> String {
        switch format {
        case .text:
            let loss = reconstruction.loss.map { Reconstruction.fourDigits($0) } ?? "none"
            let counts = "\(reconstruction.kept.count) of \(reconstruction.patchCount) patches kept"
            return "\(printable(path))  loss \(loss), \(counts)  \(printable(file))\n"
        case .json:
            let members = [
                JSON.Member("path", .string(path)),
                JSON.Member("loss", reconstruction.loss.map { .number($0) } ?? .null),
                JSON.Member("kept", .array(reconstruction.kept.map { .integer($0) })),
            ]
            return JSON.object(members).text(compact: true) + "\n"
        }
    }

    /// Ends the output; throws if inputs failed, once everything else is done.
    mutating func finish() throws {
        let prediction = prediction
        try results.finish("reconstructed") { try prediction?.finish() }
    }
}
