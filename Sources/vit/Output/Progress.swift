import Support

/// The progress of a run over many inputs, on standard error.
///
/// One self-updating line on a terminal; elsewhere a plain line every ten seconds.
struct Progress {
    private let total: Int
    private let earlier: Int
    private let isShown: Bool
    private let isTerminal = StandardError.isTerminal
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private var last: ContinuousClock.Instant
    private var isLineShown = false

    /// Progress towards `total` inputs, `earlier` of which were done by a previous run. Prints nothing unless `isShown`.
    init(total: Int, earlier: Int = 0, isShown: Bool) {
        self.total = total
        self.earlier = earlier
        self.isShown = isShown && total > 1
        start = clock.now
        last = start
    }

    /// Prints that `done` inputs are finished if the last line is old enough.
    mutating func update(_ done: Int) {
        guard isShown else { return }
        let now = clock.now
        guard now - last >= (isTerminal ? .milliseconds(100) : .seconds(10)) else { return }
        last = now
        let line = Self.line(done: done, total: total, earlier: earlier, elapsed: now - start)
        if isTerminal { StandardError.show(line) } else { StandardError.report(line) }
        isLineShown = isTerminal
    }

    /// Erases the line so that other text can be printed.
    mutating func clear() {
        if isLineShown { StandardError.clearLine() }
        isLineShown = false
    }

    /// Count, rate and time left.
    static func line(done: Int, total: Int, earlier: Int = 0, elapsed: Duration) -> String {
        let seconds = max(elapsed / .seconds(1), 1e-9)
        let rate = Double(done - earlier) / seconds
        let left = rate > 0 ? Int((Double(total - done) / rate).rounded(.up)) : 0
        return "\(done) of \(total), \(fixed(rate, 1)) a second, \(clock(seconds: left)) left"
    }

    /// A time as `1:02:03` or `2:03`.
    static func clock(seconds: Int) -> String {
        let minutes = seconds % 3600 / 60
        return seconds >= 3600
            ? "\(seconds / 3600):\(padded(minutes)):\(padded(seconds % 60))" : "\(minutes):\(padded(seconds % 60))"
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
