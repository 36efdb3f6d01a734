import Datasets

/// Keeps count of the pictures of a labelled set that a command goes through, and of those that cannot be read.
struct LabeledRun {
    private let data: String
    private let total: Int
    /// What happens to a picture: "evaluated".
    private let verb: String
    private let isStrict: Bool
    private let isQuiet: Bool
    private var progress: Progress
    private var doneCount = 0
    /// What could not be read.
    private(set) var failures: [InputError] = []

    init(data: String, total: Int, verb: String, isStrict: Bool, isQuiet: Bool) {
        self.data = data
        self.total = total
        self.verb = verb
        self.isStrict = isStrict
        self.isQuiet = isQuiet
        progress = Progress(total: total, isShown: !isQuiet)
    }

    /// Sentences about the set.
    func tell(_ notes: [String]) {
        if !isQuiet { for note in notes { StandardError.write("\(note)\n") } }
    }

    /// Takes the result of the next picture.
    mutating func take<Value>(path: String, _ result: Result<Value, InputError>) throws {
        doneCount += 1
        if case .failure(let error) = result {
            progress.clear()
            if isStrict { throw error }
            failures.append(error)
            StandardError.write("Error: \(error)\n")
        }
        progress.update(doneCount)
    }

    /// Throws where not one of the pictures of a part could be read.
    mutating func check(_ readCount: Int, of total: Int, in part: ImageDataset.Part) throws {
        progress.clear()
        if readCount == 0 {
            throw CommandFailure(
                .malformedData,
                "\(data): not one of the \(total) pictures of the \(part.rawValue) part can be read; expected PNG or JPEG "
                    + "files")
        }
    }

    /// Throws where pictures failed, once all else is done.
    func finish() throws {
        guard !failures.isEmpty else { return }
        StandardError.write("\(total - failures.count) of \(total) \(verb), \(failures.count) failed\n")
        throw CommandFailure(.someInputsFailed)
    }
}
