import ArgumentParser
import Datasets
import Models
import Support

/// Formats of results that are printed as text or as JSON.
enum ResultFormat: String, ExpressibleByArgument, CaseIterable { case text, json }

/// Prints the results of a command that draws an image per input as they arrive, and counts failures.
struct ImageResults {
    private let inputCount: Int
    private let isJSON: Bool
    private let isStrict: Bool
    private let output = StandardOutput()
    private var progress: Progress
    private var doneCount = 0
    private var failures = 0
    private var lastFailure: InputError?

    init(inputCount: Int, isJSON: Bool, isStrict: Bool, showsProgress: Bool) {
        self.inputCount = inputCount
        self.isJSON = isJSON
        self.isStrict = isStrict
        progress = Progress(total: inputCount, isShown: showsProgress)
    }

    /// Prints the result of an input.
    mutating func show(_ text: String) throws {
        if StandardOutput.isTerminal { progress.clear() }
        try output.write(text)
    }

    /// Records the failure of an input; throws it if it ends the run.
    mutating func take(_ error: InputError, of path: String) throws {
        failures += 1
        lastFailure = error
        if isStrict {
            try output.flush()
            throw error
        }
        progress.clear()
        // With a single input, its failure is printed at the end as the reason for the exit code.
        if inputCount > 1 { StandardError.report("Error: \(error)") }
        guard isJSON else { return }
        let members = [JSON.Member("path", .string(path)), JSON.Member("error", .string(error.reason))]
        try output.write(JSON.object(members).text(compact: true) + "\n")
    }

    /// Marks an input as done.
    mutating func countOne() throws {
        doneCount += 1
        if StandardOutput.isTerminal || doneCount == inputCount { try output.flush() }
        progress.update(doneCount)
    }

    /// Ends the output; `verb` is what was done to the inputs. Runs `body` and then throws if some inputs failed; throws
    /// at once if the only input did.
    mutating func finish(_ verb: String, _ body: () throws -> Void) throws {
        progress.clear()
        try output.flush()
        if inputCount == 1, let lastFailure { throw lastFailure }
        try body()
        if failures > 0 {
            StandardError.report("\(inputCount - failures) of \(inputCount) \(verb), \(failures) failed")
            throw CommandFailure(.someInputsFailed)
        }
    }
}
