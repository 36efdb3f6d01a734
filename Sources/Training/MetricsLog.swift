import Checkpoints

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A line of `metrics.jsonl`: numbers under their names.
package struct MetricsLine {
    package let step: Int
    /// Seconds since 1970.
    package let time: Double
    package let values: [(name: String, value: Double)]

    var json: JSON {
        .object(
            [JSON.Member("step", .integer(step))] + values.map { JSON.Member($0.name, .number($0.value)) }
                + [JSON.Member("time", .number(time))])
    }

    package init(step: Int, values: [(name: String, value: Double)]) {
        self.step = step
        self.values = values
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        time = Double(now.tv_sec) + (Double(now.tv_nsec) * 1e-6).rounded() / 1000
    }

    init?(_ json: JSON) {
        guard let members = json.members, let step = json["step"]?.integer else { return nil }
        self.step = step
        time = json["time"]?.double ?? 0
        values = members.compactMap { member in
            guard member.name != "step", member.name != "time" else { return nil }
            return member.value.double.map { (member.name, $0) }
        }
    }
}

/// `metrics.jsonl` and the same numbers for TensorBoard.
package final class MetricsLog {
    private let path: String
    private let descriptor: Int32
    private let events: EventFile
    /// All lines so far.
    private(set) var lines: [MetricsLine]

    /// Opens the log of a run whose first `step` steps are done; lines of later steps, and one that was cut short, go.
    init(_ run: RunDirectory, upTo step: Int) throws {
        path = run.metrics
        lines = step == 0 ? [] : Self.read(run.metrics).filter { $0.step <= step }
        try Files.write(lines.map { $0.json.text(compact: true) + "\n" }.joined(), to: run.metrics)
        descriptor = unsafe open(run.metrics, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw TrainingError(.inputOutput, "\(path): cannot be opened: \(RunDirectory.reason(errno))")
        }
        events = try EventFile(in: run.tensorboard, lines: lines)
    }

    deinit { close(descriptor) }

    func append(_ line: MetricsLine) throws {
        lines.append(line)
        try Self.write(Array((line.json.text(compact: true) + "\n").utf8), to: descriptor, path: path)
        try events.append(line)
    }

    package static func read(_ path: String) -> [MetricsLine] {
        guard Files.sort(path) == .file, let text = try? Files.bytes(of: path) else { return [] }
        return text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            (try? JSON.parse(Array(line))).flatMap { MetricsLine($0) }
        }
    }

    static func write(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(TrainingError) {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { bytes in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
                return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                throw TrainingError(.inputOutput, "\(path): cannot be written: \(RunDirectory.reason(errno))")
            }
            written += count
        }
    }
}
