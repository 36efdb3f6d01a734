import Datasets
import LibC
import Models
import Support

/// The rows of a running job, in a directory beside its output, so that they survive the process.
///
/// `data` is the output as far as it is written. `journal` records the inputs in order: the first line holds the settings
/// of the run, then follows `+DIGEST` for each row and `-"REASON"` for each image that failed. A line
/// `=INPUTS ROWS BYTES DIGEST` is a commit: everything before it, and that many bytes of data, are on the disk. Its digest
/// is that of the lines and the data since the commit before. Whatever follows the last commit, or the first one that is
/// damaged, is cut off before the run continues.
final class EmbeddingJournal {
    /// The progress of a run.
    struct Position: Equatable {
        var inputs = 0
        var rows = 0
        var bytes = 0

        static func >= (later: Position, earlier: Position) -> Bool {
            later.inputs >= earlier.inputs && later.rows >= earlier.rows && later.bytes >= earlier.bytes
        }
    }

    /// The result of an input.
    enum Entry {
        case row(SHA256)
        case failure(String)
    }

    /// The position after the last append, committed or not.
    private(set) var position = Position()
    private let directory: String
    private let output: String
    private let data: AppendedFile
    private let journal: AppendedFile
    private let lock: FileLock
    private var isDataInPlace = false
    private let clock = ContinuousClock()
    private var lastCommit: ContinuousClock.Instant
    /// The data and the lines since the last commit.
    private var block = JournalBlock()

    private static let interval = Duration.seconds(1)

    /// Opens the journal of a run that writes `output`: if `resumes`, that of an interrupted run, if there is one; otherwise
    /// a new one, whose data begin with `head`.
    ///
    /// Errors: `FileError`; `ModelUseError` if the interrupted run had other settings.
    /// - Parameter note: receives a sentence where what the interrupted run left is damaged.
    init(
        output: String, settings: EmbeddingSettings, head: [UInt8], resumes: Bool, note: (String) -> Void
    ) throws {
        self.output = output
        directory = Self.directory(of: output)
        lastCommit = clock.now
        try OutputFile.checkPlace(output)
        if unsafe mkdir(Files.systemPath(directory), 0o777) != 0, errno != EEXIST {
            throw FileError(.cannotCreate, output, "cannot be created", .last)
        }
        let path = Files.join(directory, "journal")
        journal = try AppendedFile(path, of: output)
        guard let lock = try Self.lock(path, of: output) else {
            throw FileError(.cannotCreate, output, "is being written by another process; wait for it, or end it")
        }
        self.lock = lock
        data = try AppendedFile(Files.join(directory, "data"), of: output)
        let isContinued = resumes ? try recover(settings, headSize: head.count, note) : false
        if !isContinued { try begin(settings, head: head) }
    }

    /// The directory of the unfinished rows of `output`.
    static func directory(of output: String) -> String { "\(output).partial" }

    private static func lock(_ path: String, of output: String) throws(FileError) -> FileLock? {
        do throws(SystemError) {
            return try FileLock.take(path)
        } catch {
            throw FileError(.inputOutput, output, "cannot be locked", error)
        }
    }

    private func begin(_ settings: EmbeddingSettings, head: [UInt8]) throws(FileError) {
        try journal.truncate(to: 0)
        try data.truncate(to: 0)
        position = Position(bytes: head.count)
        // The head is written again at the end, and belongs to no commit.
        data.append(head)
        appendLine(settings.json.text(compact: true))
        try writeCommit()
    }

    private func appendLine(_ line: String) {
        let text = Array((line + "\n").utf8)
        journal.append(text)
        block.lines.add(text)
    }

    /// Cuts off what an interrupted run had not committed, or what is damaged; false if there is nothing to continue.
    private func recover(_ settings: EmbeddingSettings, headSize: Int, _ note: (String) -> Void) throws -> Bool {
        var (commits, isDamaged) = try readCommits(inputCount: settings.inputCount)
        try checkSettings(settings, commits.first)
        let size = try data.byteCount()
        if let last = commits.last, size < last.position.bytes, last.position.inputs == settings.inputCount,
            let written = try Files.statusIfAny(output), written.isRegularFile,
            written.byteCount == last.position.bytes
        {
            // The rows are already in place; only the files beside them may be missing.
            isDataInPlace = true
        }
        let place = isDataInPlace ? output : Files.join(directory, "data")
        let sound = try JournalBlock.soundCount(of: commits, dataFile: place, from: headSize)
        if sound < commits.count {
            isDamaged = true
            isDataInPlace = false
            commits.removeLast(commits.count - sound)
            if size < commits.last?.position.bytes ?? 0 { commits = [] }
        }
        if isDamaged {
            let start = commits.last.map { "behind row \($0.position.rows)" } ?? "of the interrupted run"
            note("\(output): what was kept \(start) is damaged, or from another version; it is computed again")
        }
        guard let secured = commits.last else { return false }
        if !isDataInPlace { try data.truncate(to: secured.position.bytes) }
        try journal.truncate(to: secured.length)
        position = secured.position
        return true
    }

    /// Throws if the interrupted run had other settings.
    ///
    /// - Parameter first: the first commit, which has no data.
    private func checkSettings(_ settings: EmbeddingSettings, _ first: JournalBlock.Commit?) throws {
        var lines = journal.lines()
        guard let first, first.isSound(data: SHA256(of: [])), let line = try lines.next(),
            let stored = EmbeddingSettings(line), let difference = settings.difference(from: stored)
        else { return }
        throw ModelUseError.unfitting(
            "\(output): the interrupted run had another \(difference); use the same "
                + "settings, or leave out --resume to start over")
    }

    /// The commits that can be read, and whether one cannot, or does not count the lines before it.
    private func readCommits(inputCount: Int) throws -> (commits: [JournalBlock.Commit], isDamaged: Bool) {
        var commits: [JournalBlock.Commit] = []
        var (length, text) = (0, SHA256.Sum())
        var (inputs, rows) = (0, 0)
        var lines = journal.lines()
        while let line = try lines.next() {
            length += line.utf8.count + 1
            guard line.hasPrefix("=") else {
                switch Entry(line: line) {
                case .row: (inputs, rows) = (inputs + 1, rows + 1)
                case .failure: inputs += 1
                case nil: break
                }
                text.add(Array((line + "\n").utf8))
                continue
            }
            let earlier = commits.last?.position ?? Position()
            guard let commit = JournalBlock.Commit(line, length: length, lines: text), commit.position >= earlier,
                commit.position.inputs == inputs, commit.position.rows == rows, inputs <= inputCount
            else { return (commits, true) }
            commits.append(commit)
            text = SHA256.Sum()
        }
        return (commits, false)
    }

    /// Appends a row.
    func append(_ row: [UInt8], digest: SHA256) {
        data.append(row)
        block.data.add(row)
        appendLine("+\(digest.hex)")
        position.inputs += 1
        position.rows += 1
        position.bytes += row.count
    }

    /// Records that an input failed.
    func append(failure reason: String) {
        appendLine("-\(JSON.string(reason).text(compact: true))")
        position.inputs += 1
    }

    /// Commits if the last commit is old enough.
    func commitIfDue() throws(FileError) {
        if clock.now - lastCommit >= Self.interval { try commit() } else { try data.writeIfLarge() }
    }

    /// Writes everything to the disk: once this returns, it survives a power failure.
    func commit() throws(FileError) {
        try writeCommit()
        lastCommit = clock.now
    }

    private func writeCommit() throws(FileError) {
        try data.write()
        try data.synchronize()
        journal.append(Array((block.commit(position) + "\n").utf8))
        block = JournalBlock()
        try journal.write()
        try journal.synchronize()
    }

    /// Passes the result of every input to `body`, in order.
    func forEachEntry(_ body: (Int, Entry) throws -> Void) throws {
        var index = 0
        var lines = journal.lines()
        _ = try lines.next()
        while let line = try lines.next() {
            guard let entry = Entry(line: line) else { continue }
            try body(index, entry)
            index += 1
        }
    }

    /// A file beside the output: what writes its text; nil to only remove an old one.
    struct Sidecar {
        let path: String
        let write: ((_ text: (String) throws -> Void) throws -> Void)?
    }

    /// Moves the rows, with `head` written over their beginning, and the files beside them into place, and removes the
    /// journal.
    ///
    /// Old files beside the output are removed first, so that rows never lie beside an index that is not theirs.
    func finish(head: [UInt8], sidecars: [Sidecar]) throws {
        try commit()
        if !isDataInPlace {
            try data.overwriteStart(head)
            try data.synchronize()
        }
        let places = try sidecars.compactMap { try place($0) }
        for sidecar in sidecars { try Self.remove(sidecar.path) }
        if !isDataInPlace { try Files.move(Files.join(directory, "data"), to: output) }
        for (place, path) in places { try Files.move(place, to: path) }
        try discard()
    }

    /// Writes a file of the output into the journal's directory.
    private func place(_ sidecar: Sidecar) throws -> (from: String, to: String)? {
        guard let write = sidecar.write else { return nil }
        let place = Files.join(directory, Files.name(of: sidecar.path))
        let file = try AppendedFile(place, of: sidecar.path)
        try file.truncate(to: 0)
        try write { text in
            file.append(Array(text.utf8))
            try file.writeIfLarge()
        }
        try file.write()
        try file.synchronize()
        return (place, sidecar.path)
    }

    private static func remove(_ path: String) throws(FileError) {
        do throws(SystemError) {
            try Files.removeFile(path)
        } catch {
            throw FileError(.cannotCreate, path, "cannot be replaced", error)
        }
    }

    /// Removes the journal, so that no part of it is taken for the beginning of another run.
    func discard() throws(FileError) { try Files.removeWhole(directory) }
}

extension EmbeddingJournal.Entry {
    /// The result that a line of the journal records; nil for other lines.
    fileprivate init?(line: String) {
        if line.hasPrefix("+"), let digest = SHA256(hex: String(line.dropFirst())) {
            self = .row(digest)
        } else if line.hasPrefix("-"), let reason = (try? JSON.parse(Array(line.dropFirst().utf8)))?.string {
            self = .failure(reason)
        } else {
            return nil
        }
    }
}
