/// The speed of a run.
struct Pace {
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private var lapStart: ContinuousClock.Instant
    private let imagesPerStep: Int
    private var steps = 0
    private var lapSteps = 0

    init(imagesPerStep: Int) {
        self.imagesPerStep = imagesPerStep
        start = clock.now
        lapStart = start
    }

    mutating func step() {
        steps += 1
        lapSteps += 1
    }

    var seconds: Double { (clock.now - start) / .seconds(1) }
    var secondsPerStep: Double { seconds / Double(max(1, steps)) }
    var imagesPerSecond: Double { Double(imagesPerStep) / max(secondsPerStep, 1e-9) }

    /// Images a second since the last lap, which ends here.
    mutating func lap() -> Double {
        let now = clock.now
        let seconds = (now - lapStart) / .seconds(1)
        defer { (lapStart, lapSteps) = (now, 0) }
        return Double(lapSteps * imagesPerStep) / max(seconds, 1e-9)
    }
}
