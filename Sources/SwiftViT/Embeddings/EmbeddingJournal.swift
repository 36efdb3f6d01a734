import Checkpoints
import Datasets
import Support

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The rows of a run under way, in a directory beside the place of its output, so that they outlive the process.
///
/// `data` is the output as far as it is written. `journal` says what became of each input, in order: its first line the
/// settings of the run, then `+DIGEST` for a row and `-"REASON"` for a picture that gave none. A line `=INPUTS ROWS BYTES`
/// follows when all before it, and as many bytes of data, are on the disk: whatever comes after the last such line is cut
/// off before the run goes on.
final class EmbeddingJournal {
    /// How far a run is.
    struct Position: Equatable {
        var inputs = 0
        var rows = 0
        var bytes = 0
    }

    /// What became of an input.
    enum Entry {
        case row(SHA256)
        case failure(String)
    }

    /// What is written, on the disk or not yet.
    private(set) var position = Position()
    private let directory: String
    private let output: String
    private let data: AppendedFile
    private let journal: AppendedFile
    private let lock: FileLock
    private var isDataInPlace = false
    private let clock = ContinuousClock()
    private var lastCommit: ContinuousClock.Instant

    private static let interval = Duration.seconds(1)

    /// Opens the journal of a run with these settings that will give `output`: where `resumes`, what an earlier run
    /// left, if anything; else a new one, which begins its data with `head`.
    ///
    /// Errors: `FileError`; `EmbeddingError` where the earlier run had other settings.
    init(output: String, settings: EmbeddingSettings, head: [UInt8], resumes: Bool) throws {
        self.output = output
        directory = Self.directory(of: output)
        lastCommit = clock.now
        try OutputFile.checkPlace(output)
        if unsafe mkdir(directory, 0o777) != 0, errno != EEXIST {
            throw FileError(.cannotCreate, output, "cannot be created", .last)
        }
        let path = Files.join(directory, "journal")
        journal = try AppendedFile(path, of: output)
        guard let lock = try Self.lock(path, of: output) else {
            throw FileError(.cannotCreate, output, "is being written by another process; wait for it, or end it")
        }
        self.lock = lock
        data = try AppendedFile(Files.join(directory, "data"), of: output)
        let isContinued = resumes ? try recover(settings) : false
        if !isContinued { try begin(settings, head: head) }
    }

    /// Where the unfinished rows of `output` are.
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
        data.append(head)
        journal.append(Array((settings.json.text(compact: true) + "\n").utf8))
        try writeCommit()
    }

    /// Cuts off what an interrupted run had not secured; false where there is nothing to go on from.
    private func recover(_ settings: EmbeddingSettings) throws -> Bool {
        var length = 0
        var secured: (position: Position, length: Int)?
        var isFirst = true
        for line in journal.lines() {
            length += line.utf8.count + 1
            if isFirst {
                guard let stored = EmbeddingSettings(line) else { return false }
                if let difference = settings.difference(from: stored) {
                    throw EmbeddingError(
                        description: "\(output): the interrupted run had another \(difference); give the same as "
                            + "then, or leave out --resume to begin anew")
                }
                isFirst = false
            } else if line.hasPrefix("=") {
                let numbers = line.dropFirst().split(separator: " ").compactMap { Int($0) }
                guard numbers.count == 3 else { break }
                secured = (Position(inputs: numbers[0], rows: numbers[1], bytes: numbers[2]), length)
            } else if Entry(line: line) == nil {
                break
            }
        }
        guard let secured else { return false }
        if try data.byteCount() >= secured.position.bytes {
            try data.truncate(to: secured.position.bytes)
        } else {
            // The rows have already taken their place, and only the files beside them may be wanting.
            guard secured.position.inputs == settings.inputCount,
                Files.byteCount(of: output) == secured.position.bytes
            else { return false }
            isDataInPlace = true
        }
        try journal.truncate(to: secured.length)
        position = secured.position
        return true
    }

    /// Adds a row.
    func append(_ row: [UInt8], digest: SHA256) {
        data.append(row)
        journal.append(Array("+\(digest.hex)\n".utf8))
        position.inputs += 1
        position.rows += 1
        position.bytes += row.count
    }

    /// Notes that an input gave no row.
    func append(failure reason: String) {
        journal.append(Array("-\(JSON.string(reason).text(compact: true))\n".utf8))
        position.inputs += 1
    }

    /// Secures what has been added, where the last time is a while ago.
    func commitIfDue() throws(FileError) {
        if clock.now - lastCommit >= Self.interval { try commit() } else { try data.writeIfLarge() }
    }

    /// Secures what has been added: once this returns, it survives a loss of power.
    func commit() throws(FileError) {
        try writeCommit()
        lastCommit = clock.now
    }

    private func writeCommit() throws(FileError) {
        try data.write()
        try data.synchronize()
        journal.append(Array("=\(position.inputs) \(position.rows) \(position.bytes)\n".utf8))
        try journal.write()
        try journal.synchronize()
    }

    /// What became of every input, in order.
    func forEachEntry(_ body: (Int, Entry) throws -> Void) throws {
        var index = 0
        for line in journal.lines().dropFirst() {
            guard let entry = Entry(line: line) else { continue }
            try body(index, entry)
            index += 1
        }
    }

    /// A file beside the output: what writes its text; nil where an old one is only to go.
    struct Sidecar {
        let path: String
        let write: ((_ text: (String) throws -> Void) throws -> Void)?
    }

    /// Puts the rows, with `head` over their beginning, and the files beside them in their places, and ends the journal.
    ///
    /// The old files beside the output go first: at no moment do rows lie beside an index that is not theirs.
    func finish(head: [UInt8], sidecars: [Sidecar]) throws {
        try commit()
        if !isDataInPlace {
            try data.overwriteStart(head)
            try data.synchronize()
        }
        let places = try sidecars.compactMap { try place($0) }
        for sidecar in sidecars { unsafe _ = unlink(sidecar.path) }
        if !isDataInPlace { try Self.move(Files.join(directory, "data"), to: output) }
        for (place, path) in places { try Self.move(place, to: path) }
        discard()
    }

    /// Writes a file beside the output, not yet in its place.
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

    private static func move(_ place: String, to path: String) throws(FileError) {
        do throws(SystemError) {
            try Files.move(place, to: path)
        } catch {
            throw FileError(.cannotCreate, path, "cannot be created", error)
        }
    }

    /// Removes all of it.
    func discard() {
        Files.remove(directory)
    }
}

extension EmbeddingJournal.Entry {
    /// What a line of the journal says of an input; nil for other lines.
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
