import Checkpoints
import Datasets
import Support

/// What a run would be, without training: `--plan`.
public struct RunPlan: Sendable {
    /// The settings that every run has.
    public let settings: RunSettings
    /// Images to train on.
    public let imageCount: Int
    /// Images held out.
    public let validationCount: Int
    /// Steps of an epoch.
    public let stepsPerEpoch: Int
    /// The median of a few steps, after a first one.
    public let secondsPerStep: Double
    /// What the process held at most while it took them.
    public let peakMemory: Int
    /// The model in words.
    var model: String
    /// What it sees, in words.
    var pictures: String
    /// What else is worth knowing, a title and a text a line.
    var others: [(title: String, text: String)] = []
    /// What usually goes wrong, a sentence each.
    public internal(set) var warnings: [String] = []

    /// Times a few steps of a trainer.
    init(
        _ trainer: any Trainer, dataset: ImageDataset, augmentation: Augmentation, threads: Int,
        observer: RunObserver
    ) throws {
        let settings = trainer.run
        let loader = try TrainingLoop.loader(
            dataset, settings: settings, augmentation: augmentation, threads: threads, report: observer.unreadable)
        var times: [Double] = []
        let clock = ContinuousClock()
        for step in 0..<4 where !observer.shouldStop() {
            let time = try clock.measure { _ = try trainer.step(step) { try loader.next() } }
            if step > 0 { times.append(time / .seconds(1)) }
        }
        self.settings = settings
        imageCount = dataset.training.count
        validationCount = dataset.validation.count
        stepsPerEpoch = loader.plan.stepsPerEpoch
        secondsPerStep = times.isEmpty ? 0 : times.sorted()[times.count / 2]
        let pixels = settings.imageSize.height * settings.imageSize.width * settings.channels
        // Decoded images are kept as they are on disk; the size of the model's pictures is a guess at theirs.
        peakMemory = PeakMemory.bytes + min(settings.cacheMemory, dataset.training.count * pixels)
        let parameterCount = Double(trainer.parameters.store.parameterCount)
        model =
            "\(fixed(parameterCount / 1e6, 2)) M parameters: width \(settings.width), depth \(settings.depth), heads "
            + "\(settings.heads)"
        pictures =
            "\(settings.imageSize.text) pixels, \(settings.channels) channels, \(settings.encoder.patchCount) patches of "
            + settings.patchSize.text
    }

    /// The plan for people.
    public var text: String {
        let epochs = Double(settings.steps) / Double(max(1, stepsPerEpoch))
        let seconds = secondsPerStep * Double(settings.steps)
        var rows = [
            ("images", "\(imageCount), and \(validationCount) held out"),
            ("model", model),
            ("pictures", pictures),
            (
                "effective batch",
                "\(settings.effectiveBatch)"
                    + (settings.accumulate > 1 ? " (\(settings.batchSize) × \(settings.accumulate))" : "")
            ),
            (
                "learning rate",
                "\(settings.rate), from 0 over \(settings.warmupSteps) steps, then down to \(settings.minimumRate)"
            ),
        ]
        rows += others.map { ($0.title, $0.text) }
        rows += [
            ("steps", "\(settings.steps), \(stepsPerEpoch) an epoch, \(fixed(epochs, 1)) epochs"),
            ("memory", "\(fixed(Double(peakMemory) / 1e9, 2)) GB"),
            (
                "time",
                "\(Self.duration(seconds)), at \(fixed(secondsPerStep, 2)) s a step and "
                    + "\(fixed(Double(settings.effectiveBatch) / max(secondsPerStep, 1e-9), 0)) images a second"
            ),
            (
                "checkpoints",
                "every \(settings.checkpointEvery) steps, "
                    + (settings.keep == 0 ? "all kept" : "the last \(settings.keep) kept")
            ),
        ]
        let lines = rows.map { title, text in
            title + String(repeating: " ", count: max(1, 18 - title.count)) + text
        }
        return (lines + warnings.map { "warning: \($0)" }).joined(separator: "\n") + "\n"
    }

    /// Days, hours and minutes, whichever say it best.
    package static func duration(_ seconds: Double) -> String {
        if seconds >= 172_800 { return "\(fixed(seconds / 86_400, 1)) days" }
        if seconds >= 7_200 { return "\(fixed(seconds / 3600, 1)) hours" }
        if seconds >= 120 { return "\(fixed(seconds / 60, 0)) minutes" }
        return "\(fixed(seconds, 0)) seconds"
    }
}
