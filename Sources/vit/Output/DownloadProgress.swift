import Hub
import Support

/// The progress of a download, on standard error: a self-updating line on a terminal, elsewhere a plain line every ten seconds.
final class DownloadProgress {
    private let isShown: Bool
    private let isTerminal = StandardError.isTerminal
    private let clock = ContinuousClock()
    private var last: ContinuousClock.Instant
    private var isLineShown = false
    /// The file that is under way, since when, and how much of it was there then.
    private var file = ""
    private var start: ContinuousClock.Instant
    private var earlier = 0

    /// Reports nothing unless `isShown`.
    init(isShown: Bool) {
        self.isShown = isShown
        start = clock.now
        last = start
    }

    /// Reports what happens.
    func take(_ event: ModelHub.Event) {
        guard isShown else { return }
        switch event {
        case .starts(let model, let cache):
            StandardError.report("Downloading \(model) into \(cache)")
        case .note(let sentence):
            clear()
            StandardError.report(sentence)
        case .progress(let file, let done, let total):
            update(file, done, of: total)
        }
    }

    private func update(_ file: String, _ done: Int, of total: Int?) {
        let now = clock.now
        if file != self.file {
            self.file = file
            (start, earlier) = (now, done)
        }
        guard now - last >= (isTerminal ? .milliseconds(100) : .seconds(10)) else { return }
        last = now
        let line = "\(file): " + Self.line(done: done, total: total, earlier: earlier, elapsed: now - start)
        if isTerminal { StandardError.show(line) } else { StandardError.report(line) }
        isLineShown = isTerminal
    }

    /// Erases the line so that other text can be printed.
    func clear() {
        if isLineShown { StandardError.clearLine() }
        isLineShown = false
    }

    /// Megabytes, their rate, and the time left.
    static func line(done: Int, total: Int?, earlier: Int, elapsed: Duration) -> String {
        let rate = Double(done - earlier) / max(elapsed / .seconds(1), 1e-9)
        func megabytes(_ bytes: Double) -> String { fixed(bytes / 1e6, 1) }
        let count =
            total.map { "\(megabytes(Double(done))) of \(megabytes(Double($0))) MB" } ?? "\(megabytes(Double(done))) MB"
        guard let total, rate > 0 else { return "\(count), \(megabytes(rate)) MB a second" }
        let left = Progress.clock(seconds: Int((Double(total - done) / rate).rounded(.up)))
        return "\(count), \(megabytes(rate)) MB a second, \(left) left"
    }
}
