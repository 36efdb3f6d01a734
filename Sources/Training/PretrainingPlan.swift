import Compute

extension RunPlan {
    /// What a pre-training run would be: reads the data, builds the model and times a few steps.
    public static func pretraining(
        _ options: PretrainingOptions, threads: Int? = nil, observer: RunObserver
    ) throws -> RunPlan {
        let (settings, dataset, checkpoint) = try PretrainingRun.prepare(options)
        let engine = Engines.make(threads: threads)
        let trainer = try MAETrainer.begin(settings, checkpoint: checkpoint, engine: engine)
        var plan = try RunPlan(
            trainer, dataset: dataset, augmentation: settings.trainingAugmentation, threads: engine.threadCount,
            observer: observer)
        plan.model +=
            "; decoder \(settings.decoderWidth), \(settings.decoderDepth), \(settings.decoderHeads)"
        plan.pictures += ", \(settings.model.keptCount) of them kept"
        plan.warnings = warnings(
            settings, options, images: plan.imageCount, stepsPerEpoch: plan.stepsPerEpoch)
        return plan
    }

    private static func warnings(
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
}
