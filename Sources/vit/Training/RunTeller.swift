import Checkpoints
import Training
import Support

/// What a run tells on standard error: a line that updates itself on a terminal, else one every ten seconds.
final class RunTeller {
    private let isShown: Bool
    private let isTerminal = StandardError.isTerminal
    private let clock = ContinuousClock()
    private var last: ContinuousClock.Instant?
    private var isLineShown = false

    init(isShown: Bool) { self.isShown = isShown }

    func tell(_ progress: RunProgress) {
        guard isShown else { return }
        let now = clock.now
        let isDue = last.map { now - $0 >= (isTerminal ? .milliseconds(200) : .seconds(10)) } ?? true
        guard isDue || progress.step == progress.totalSteps else { return }
        last = now
        let epoch = Double(progress.step) / Double(max(1, progress.stepsPerEpoch))
        let line =
            "step \(progress.step) of \(progress.totalSteps), epoch \(fixed(epoch, 1)), loss "
            + "\(fixed(progress.loss, 4)), \(fixed(progress.imagesPerSecond, 1)) images a second, "
            + "\(RunPlan.duration(progress.secondsLeft)) left"
        StandardError.write(isTerminal ? "\r\u{1B}[K\(line)" : "\(line)\n")
        isLineShown = isTerminal
    }

    /// A sentence, unless the run is to be quiet.
    func note(_ sentence: String) { if isShown { warn(sentence) } }

    /// A sentence in any case.
    func warn(_ sentence: String) {
        clear()
        StandardError.write("\(sentence)\n")
    }

    func clear() {
        if isLineShown { StandardError.write("\r\u{1B}[K") }
        isLineShown = false
    }
}
