import Datasets

/// What a run reports while it trains.
public struct RunObserver {
    /// After each step.
    public var progress: (RunProgress) -> Void = { _ in }
    /// A sentence about the run.
    public var note: (String) -> Void = { _ in }
    /// A file that cannot be read, or is read in spite of damage, once.
    public var unreadable: (BatchLoader.Unreadable) -> Void = { _ in }
    /// Whether to stop before the next step, with a checkpoint.
    public var shouldStop: () -> Bool = { false }

    /// Reports nothing and never stops.
    public init() {}

    /// Says what a run is that begins or continues, and where its files are.
    func show(_ plan: RunPlan, in directory: RunDirectory) {
        plan.lines.forEach(note)
        note(
            RunPlan.line(
                "files", "\(directory.report), checkpoints in \(directory.checkpoints), result \(directory.model)"))
    }
}

/// The progress of a run.
public struct RunProgress: Sendable {
    /// Steps done.
    public let step: Int
    /// Steps of the whole run.
    public let totalSteps: Int
    /// Steps of an epoch.
    public let stepsPerEpoch: Int
    /// The loss of the last step.
    public let loss: Double
    /// What was last measured on held-out images, in words; nil: nothing yet.
    public let heldOut: String?
    /// Since this process began to train.
    public let seconds: Double
    /// Since this process began to train.
    public let imagesPerSecond: Double
    /// Until the last step, at this pace.
    public let secondsLeft: Double

    /// Epochs done.
    public var epoch: Double { Double(step) / Double(max(1, stepsPerEpoch)) }
}

/// How a run ended.
public struct RunResult: Sendable {
    /// Steps done.
    public let step: Int
    /// Whether these are all.
    public let isComplete: Bool
    /// All files that could not be read.
    public let unreadable: [BatchLoader.Unreadable]
}
