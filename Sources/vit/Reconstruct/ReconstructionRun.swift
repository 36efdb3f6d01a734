import ArgumentParser
import Checkpoints
import Datasets
import Features

/// How `vit reconstruct` writes its results.
enum ReconstructionFormat: String, ExpressibleByArgument, CaseIterable {
    /// A line for people.
    case text
    /// A JSON object a line.
    case json
}

/// Writes the results of `vit reconstruct` as they come, and keeps count.
struct ReconstructionRun {
    private let inputCount: Int
    private let format: ReconstructionFormat
    private var pictures: PanelFiles
    private let prediction: NumPyWriter?
    private let isStrict: Bool
    private let output = StandardOutput()
    private var progress: Progress
    private var doneCount = 0
    private var failures = 0
    private var lastFailure: InputError?

    init(
        inputCount: Int, format: ReconstructionFormat, pictures: PanelFiles, prediction: NumPyWriter?, isStrict: Bool,
        showsProgress: Bool
    ) {
        self.inputCount = inputCount
        self.format = format
        self.pictures = pictures
        self.prediction = prediction
        self.isStrict = isStrict
        progress = Progress(total: inputCount, isShown: showsProgress)
    }

    /// Takes the result of the next input.
    mutating func take(_ input: ReconstructedInput) throws {
        doneCount += 1
        switch input.result {
        case .success(let reconstruction):
            try prediction?.append(reconstruction.prediction)
            let file = try pictures.write(reconstruction.panels(), for: input.path)
            try tell(reconstruction, of: input.path, file: file)
        case .failure(let error): try take(error, of: input.path)
        }
        if StandardOutput.isTerminal || doneCount == inputCount { try output.flush() }
        progress.update(doneCount)
    }

    private mutating func take(_ error: InputError, of path: String) throws {
        failures += 1
        lastFailure = error
        if isStrict {
            try output.flush()
            throw error
        }
        progress.clear()
        // The only input's failure is told at the end, as the reason of the exit code.
        if inputCount > 1 { StandardError.write("Error: \(error)\n") }
        guard format == .json else { return }
        let members = [JSON.Member("path", .string(path)), JSON.Member("error", .string(error.reason))]
        try output.write(JSON.object(members).text(compact: true) + "\n")
    }

    private mutating func tell(_ reconstruction: Reconstruction, of path: String, file: String) throws {
        if StandardOutput.isTerminal { progress.clear() }
        switch format {
        case .text:
            let loss = reconstruction.loss.map { Reconstruction.fourDigits($0) } ?? "none"
            let counts = "\(reconstruction.kept.count) of \(reconstruction.patchCount) patches kept"
            try output.write("\(printable(path))  loss \(loss), \(counts)  \(printable(file))\n")
        case .json:
            let members = [
                JSON.Member("path", .string(path)),
                JSON.Member("loss", reconstruction.loss.map { .number($0) } ?? .null),
                JSON.Member("kept", .array(reconstruction.kept.map { .integer($0) })),
            ]
            try output.write(JSON.object(members).text(compact: true) + "\n")
        }
    }

    /// Ends the output; throws where inputs failed, once all else is done.
    mutating func finish() throws {
        progress.clear()
        try output.flush()
        if inputCount == 1, let lastFailure { throw lastFailure }
        try prediction?.finish()
        if failures > 0 {
            StandardError.write("\(inputCount - failures) of \(inputCount) reconstructed, \(failures) failed\n")
            throw CommandFailure(.someInputsFailed)
        }
    }
}
