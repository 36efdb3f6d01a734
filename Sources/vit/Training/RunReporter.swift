import Communication
import Models
import Support
import Training

/// Reports a run on standard error: a line that updates itself on a terminal, else one every ten seconds.
final class RunReporter {
    private let isShown: Bool
    private let isTerminal = StandardError.isTerminal
    private let clock = ContinuousClock()
    private var last: ContinuousClock.Instant?
    private var isLineShown = false

    init(isShown: Bool) { self.isShown = isShown }

    /// Of several processes, the first one reports for all.
    func observer(_ stop: StopRequest, _ communicator: any Communicator) -> RunObserver {
        var observer = RunObserver()
        observer.shouldStop = { stop.signal != nil }
        guard communicator.isFirst else { return observer }
        observer.progress = { self.show($0) }
        observer.note = { if self.isShown { self.print($0) } }
        observer.unreadable = { self.print("\($0.path): \($0.reason)") }
        return observer
    }

    private func show(_ progress: RunProgress) {
        guard isShown else { return }
        let now = clock.now
        let isDue = last.map { now - $0 >= (isTerminal ? .milliseconds(200) : .seconds(10)) } ?? true
        guard isDue || progress.step == progress.totalSteps else { return }
        last = now
        let line =
            "step \(progress.step) of \(progress.totalSteps), epoch \(fixed(progress.epoch, 1)), loss "
            + "\(fixed(progress.loss, 4)), \(progress.heldOut.map { "\($0), " } ?? "")"
            + "\(fixed(progress.imagesPerSecond, 1)) images/s, \(RunPlan.duration(progress.seconds)) so far, "
            + "\(RunPlan.duration(progress.secondsLeft)) left"
        if isTerminal { StandardError.show(line) } else { StandardError.report(line) }
        isLineShown = isTerminal
    }

    private func print(_ sentence: String) {
        clear()
        StandardError.report(sentence)
    }

    /// Removes the line of progress.
    func clear() {
        if isLineShown { StandardError.clearLine() }
        isLineShown = false
    }
}
