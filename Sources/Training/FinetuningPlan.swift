import Compute
import Datasets

extension RunPlan {
    /// What a fine-tuning run would be: reads the data, builds the model and times a few steps.
    public static func finetuning(
        _ options: FinetuningOptions, threads: Int? = nil, observer: RunObserver
    ) throws -> RunPlan {
        let (settings, dataset, checkpoint) = try FinetuningRun.prepare(options)
        let engine = Engines.make(threads: threads)
        let trainer = try FinetuningRun.begin(settings, checkpoint: checkpoint, engine: engine, observer: observer)
        var plan = try RunPlan(
            trainer, dataset: dataset, augmentation: settings.trainingAugmentation, threads: engine.threadCount,
            observer: observer)
        if settings.patchDropout > 0 { plan.pictures += ", \(settings.keptCount) of them seen" }
        if settings.freeze > 0 { plan.model += "; \(settings.freeze) blocks frozen" }
        plan.others = [
            (
                "classes",
                "\(settings.classes.count), head on the \(settings.pooling == .classToken ? "class token" : "mean")"
            ),
            ("layer decay", "\(settings.layerDecay), drop path \(settings.dropPath)"),
            (
                "augmentation",
                "\(settings.augment.rawValue)\(settings.flips ? ", flip" : "")\(settings.turns ? ", turn" : ""), "
                    + "RandAugment \(settings.randAugment), erasing \(settings.erasing), mixup \(settings.mixup), cutmix \(settings.cutmix), smoothing "
                    + "\(settings.smoothing)"
            ),
        ]
        plan.warnings = warnings(settings, options, dataset)
        return plan
    }

    private static func warnings(
        _ settings: FinetuningSettings, _ options: FinetuningOptions, _ dataset: ImageDataset
    ) -> [String] {
        var warnings: [String] = []
        var counts = [Int](repeating: 0, count: settings.classes.count)
        for sample in dataset.training { if let label = sample.label { counts[label] += 1 } }
        let (least, most) = (counts.min() ?? 0, counts.max() ?? 0)
        if dataset.validation.isEmpty {
            warnings.append(
                "Nothing is held out: the last model will be the result; --validation-fraction 0.1 chooses the best.")
        }
        if most > 10 * max(1, least), settings.classWeights.isEmpty {
            warnings.append(
                "The classes are unbalanced, from \(least) to \(most) images; --class-weights balanced counts them alike."
            )
        }
        if settings.initial.isEmpty, dataset.training.count < 50_000 {
            warnings.append(
                "\(dataset.training.count) images are few to train on from scratch; --init with a trained checkpoint "
                    + "helps, if only one that vit pretrain makes of the same images.")
        }
        if options.rate != nil, settings.rate > 4e-3 {
            warnings.append("--lr \(settings.rate) is high; most recipes stay below 0.004.")
        }
        if settings.warmupSteps >= settings.steps {
            warnings.append("The warm-up takes the whole run; a smaller --warmup-epochs lets the rate reach its peak.")
        }
        return warnings
    }
}
