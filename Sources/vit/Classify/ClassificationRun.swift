import Datasets
import SwiftViT

/// Prints the results of `vit classify` as they arrive, and counts failures.
struct ClassificationRun {
    private let inputCount: Int
    private var writer: any ClassificationWriter
    private let logits: NumPyWriter?
    private let isStrict: Bool
    private let output = StandardOutput()
    private var progress: Progress
    private var doneCount = 0
    private var failures = 0
    private var lastFailure: InputError?

    init(
        inputCount: Int, writer: any ClassificationWriter, logits: NumPyWriter?, isStrict: Bool, showsProgress: Bool
    ) {
        self.inputCount = inputCount
        self.writer = writer
        self.logits = logits
        self.isStrict = isStrict
        progress = Progress(total: inputCount, isShown: showsProgress)
    }

    mutating func start() throws {
        try output.write(writer.start())
    }

    /// Prints the result of the next input.
    mutating func take(_ input: ClassifiedInput) throws {
        doneCount += 1
        switch input.result {
        case .success(let classification):
            try logits?.append(classification.logits)
        case .failure(let error):
            failures += 1
            lastFailure = error
            if isStrict {
                try flush()
                throw error
            }
            progress.clear()
            // With a single input, its failure is printed at the end as the reason for the exit code.
            if inputCount > 1 { StandardError.report("Error: \(error)") }
        }
        if StandardOutput.isTerminal { progress.clear() }
        try output.write(writer.text(for: input))
        try flush()
        progress.update(doneCount)
    }

    private func flush() throws { try output.flush() }

    /// Ends the output; throws if inputs failed, once everything else is done.
    mutating func finish() throws {
        progress.clear()
        try output.write(writer.end())
        try output.flush()
        if inputCount == 1, let lastFailure { throw lastFailure }
        try logits?.finish()
        if failures > 0 {
            StandardError.report("\(inputCount - failures) of \(inputCount) classified, \(failures) failed")
            throw CommandFailure(.someInputsFailed)
        }
    }
}
