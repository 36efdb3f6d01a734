import Datasets

/// Counts the images of a labelled set as a command goes through them, and those that cannot be read.
struct LabeledRun {
    private let data: String
    private let total: Int
    /// What is done to an image: "evaluated".
    private let verb: String
    private let isStrict: Bool
    private let isQuiet: Bool
    private var progress: Progress
    private var doneCount = 0
    /// The images that could not be read.
    private(set) var failures: [InputError] = []

    init(data: String, total: Int, verb: String, isStrict: Bool, isQuiet: Bool) {
        self.data = data
        self.total = total
        self.verb = verb
        self.isStrict = isStrict
        self.isQuiet = isQuiet
        progress = Progress(total: total, isShown: !isQuiet)
    }

    /// Prints sentences about the set.
    func show(_ notes: [String]) {
        if !isQuiet { for note in notes { StandardError.report("\(note)") } }
    }

    /// Records the result of the next image.
    mutating func take<Value>(path: String, _ result: Result<Value, InputError>) throws {
        doneCount += 1
        if case .failure(let error) = result {
            progress.clear()
            if isStrict { throw error }
            failures.append(error)
            StandardError.report("Error: \(error)")
        }
        progress.update(doneCount)
    }

    /// Throws if no image of a part could be read.
    mutating func check(_ readCount: Int, of total: Int, in part: ImageDataset.Part) throws {
        progress.clear()
        if readCount == 0 {
            throw CommandFailure(
                .malformedData,
                "\(data): none of the \(total) images of the \(part.rawValue) part can be read; expected PNG or JPEG files"
            )
        }
    }

    /// Throws if images failed, once everything else is done.
    func finish() throws {
        guard !failures.isEmpty else { return }
        StandardError.report("\(total - failures.count) of \(total) \(verb), \(failures.count) failed")
        throw CommandFailure(.someInputsFailed)
    }
}
