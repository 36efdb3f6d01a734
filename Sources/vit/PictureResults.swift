import Checkpoints
import Datasets
import Support

/// Tells, as they come, the results of a command that draws a picture for each input, and keeps count.
struct PictureResults {
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

    /// Writes what there is to say of an input.
    mutating func tell(_ text: String) throws {
        if StandardOutput.isTerminal { progress.clear() }
        try output.write(text)
    }

    /// Takes the failure of an input; throws it where it ends the run.
    mutating func take(_ error: InputError, of path: String) throws {
        failures += 1
        lastFailure = error
        if isStrict {
            try output.flush()
            throw error
        }
        progress.clear()
        // The only input's failure is told at the end, as the reason of the exit code.
        if inputCount > 1 { StandardError.write("Error: \(error)\n") }
        guard isJSON else { return }
        let members = [JSON.Member("path", .string(path)), JSON.Member("error", .string(error.reason))]
        try output.write(JSON.object(members).text(compact: true) + "\n")
    }

    /// An input is done.
    mutating func countOne() throws {
        doneCount += 1
        if StandardOutput.isTerminal || doneCount == inputCount { try output.flush() }
        progress.update(doneCount)
    }

    /// Ends the output; `verb` is what was done to the inputs. Throws where some failed, once `body` has run, which it
    /// does not where the only one failed.
    mutating func finish(_ verb: String, _ body: () throws -> Void) throws {
        progress.clear()
        try output.flush()
        if inputCount == 1, let lastFailure { throw lastFailure }
        try body()
        if failures > 0 {
            StandardError.write("\(inputCount - failures) of \(inputCount) \(verb), \(failures) failed\n")
            throw CommandFailure(.someInputsFailed)
        }
    }
}
