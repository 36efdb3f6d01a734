import LibC
import Models
import Support

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
    private let file: AppendedFile
    private let events: EventFile
    /// All lines so far, as the report shows them.
    private(set) var curves = MetricsCurves()

    /// Opens the log of a run whose first `step` steps are done; removes lines of later steps and an incomplete one.
    init(_ run: RunDirectory, upTo step: Int) throws {
        let lines = step == 0 ? [] : try Self.read(run.metrics).filter { $0.step <= step }
        let text = lines.map { $0.json.text(compact: true) + "\n" }.joined()
        try Files.write(text, to: run.metrics)
        file = try AppendedFile(run.metrics, of: run.metrics)
        try file.truncate(to: text.utf8.count)
        events = try EventFile(in: run.tensorboard, lines: lines)
        for line in lines { curves.append(line) }
    }

    func append(_ line: MetricsLine) throws {
        curves.append(line)
        file.append(Array((line.json.text(compact: true) + "\n").utf8))
        try file.write()
        try events.append(line)
    }

    /// Waits until the lines are on the disk: before a checkpoint is, whose run would lack them.
    func synchronize() throws(FileError) { try file.synchronize() }

    /// The lines of a log; none where there is no such file.
    package static func read(_ path: String) throws(FileError) -> [MetricsLine] {
        let text: [UInt8]
        do throws(SystemError) {
            text = try Files.bytes(of: path)
        } catch {
            if error.isMissing { return [] }
            throw FileError(opening: path, expected: "the metrics of a run", error)
        }
        return text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            (try? JSON.parse(Array(line))).flatMap { MetricsLine($0) }
        }
    }
}
