import Checkpoints
import Compute
import Datasets

/// What a run would be, without training: `vit pretrain --plan`.
public struct PretrainingPlan: Sendable {
    /// Every setting.
    public let settings: PretrainingSettings
    /// Images to train on.
    public let imageCount: Int
    /// Images held out.
    public let validationCount: Int
    /// Trained numbers.
    public let parameterCount: Int
    /// Steps of an epoch.
    public let stepsPerEpoch: Int
    /// The median of a few steps, after a first one.
    public let secondsPerStep: Double
    /// What the process held at most while it took them.
    public let peakMemory: Int
    /// What usually goes wrong, a sentence each.
    public let warnings: [String]

    /// Reads the data, builds the model and times a few steps.
    public init(_ options: PretrainingOptions, threads: Int? = nil, observer: PretrainingRun.Observer) throws {
        let (settings, dataset, checkpoint) = try PretrainingRun.prepare(options)
        let engine = OneDNNEngine(threadCount: threads)
        let trainer = try MAETrainer.begin(settings, checkpoint: checkpoint, engine: engine)
        let loader = try PretrainingRun.loader(
            dataset, settings: settings, threads: engine.threadCount, report: observer.unreadable)
        var times: [Double] = []
        let clock = ContinuousClock()
        for step in 0..<4 where !observer.shouldStop() {
            let time = try clock.measure { _ = try trainer.step(step) { try loader.next() } }
            if step > 0 { times.append(time / .seconds(1)) }
        }
        self.settings = settings
        imageCount = dataset.training.count
        validationCount = dataset.validation.count
        parameterCount = trainer.store.parameterCount
        stepsPerEpoch = loader.plan.stepsPerEpoch
        secondsPerStep = times.isEmpty ? 0 : times.sorted()[times.count / 2]
        let pixels = settings.imageSize.height * settings.imageSize.width * settings.channels
        // Decoded images are kept as they are on disk; the size of the model's pictures is a guess at theirs.
        peakMemory = PeakMemory.bytes + min(settings.cacheMemory, dataset.training.count * pixels)
        warnings = Self.warnings(settings, options, images: imageCount, stepsPerEpoch: stepsPerEpoch)
    }

    static func warnings(
        _ settings: PretrainingSettings, _ options: PretrainingOptions, images: Int, stepsPerEpoch: Int
    ) -> [String] {
        var warnings: [String] = []
        if images < 10_000 {
            warnings.append(
                "\(images) images are few: masked autoencoders learn from tens of thousands up; --init with a trained "
                    + "checkpoint, or a small model, helps.")
        }
        if settings.steps < 5_000 {
            warnings.append("\(settings.steps) steps are few; useful features take tens of thousands.")
        }
        if options.baseRate.map({ $0 != 1.5e-4 }) ?? false {
            warnings.append("--blr \(settings.baseRate) is not the paper's 0.00015.")
        }
        if options.rate != nil {
            let scaled = LearningRateSchedule.scaled(base: 1.5e-4, effectiveBatch: settings.effectiveBatch)
            if settings.rate > 2 * scaled {
                warnings.append(
                    "--lr \(settings.rate) is high for a batch of \(settings.effectiveBatch); the paper's rule gives "
                        + "\(scaled).")
            }
        }
        if settings.effectiveBatch < 256 {
            warnings.append(
                "A batch of \(settings.effectiveBatch) is small: its rate \(settings.rate) makes slow progress; "
                    + "--accumulate makes the batch larger without more memory.")
        }
        if settings.warmupSteps >= settings.steps {
            warnings.append("The warm-up takes the whole run; a smaller --warmup-epochs lets the rate reach its peak.")
        }
        if settings.maskRatio < 0.5 || settings.maskRatio > 0.9 {
            warnings.append("A mask ratio of \(settings.maskRatio) is far from the 0.75 that works best for most.")
        }
        if settings.model.encoder.patchCount < 36 {
            warnings.append(
                "\(settings.model.encoder.patchCount) patches an image leave little to mask; a smaller --patch-size "
                    + "helps.")
        }
        return warnings
    }

    /// The plan for people.
    public var text: String {
        let encoder = settings.model.encoder
        let epochs = Double(settings.steps) / Double(max(1, stepsPerEpoch))
        let seconds = secondsPerStep * Double(settings.steps)
        var lines = [
            "images            \(imageCount), and \(validationCount) held out",
            "model             \(fixed(Double(parameterCount) / 1e6, 2)) M parameters: width \(settings.width), depth "
                + "\(settings.depth), heads \(settings.heads); decoder \(settings.decoderWidth), "
                + "\(settings.decoderDepth), \(settings.decoderHeads)",
            "pictures          \(settings.imageSize.text) pixels, \(settings.channels) channels, \(encoder.patchCount) "
                + "patches of \(settings.patchSize.text), \(settings.model.keptCount) of them kept",
            "effective batch   \(settings.effectiveBatch)"
                + (settings.accumulate > 1 ? " (\(settings.batchSize) × \(settings.accumulate))" : ""),
            "learning rate     \(settings.rate), from 0 over \(settings.warmupSteps) steps, then down to "
                + "\(settings.minimumRate)",
            "steps             \(settings.steps), \(stepsPerEpoch) an epoch, \(fixed(epochs, 1)) epochs",
            "memory            \(fixed(Double(peakMemory) / 1e9, 2)) GB",
            "time              \(Self.duration(seconds)), at \(fixed(secondsPerStep, 2)) s a step and "
                + "\(fixed(Double(settings.effectiveBatch) / max(secondsPerStep, 1e-9), 0)) images a second",
            "checkpoints       every \(settings.checkpointEvery) steps, "
                + (settings.keep == 0 ? "all kept" : "the last \(settings.keep) kept"),
        ]
        lines += warnings.map { "warning: \($0)" }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Days, hours and minutes, whichever say it best.
    package static func duration(_ seconds: Double) -> String {
        if seconds >= 172_800 { return "\(fixed(seconds / 86_400, 1)) days" }
        if seconds >= 7_200 { return "\(fixed(seconds / 3600, 1)) hours" }
        if seconds >= 120 { return "\(fixed(seconds / 60, 0)) minutes" }
        return "\(fixed(seconds, 0)) seconds"
    }
}
