import Datasets
import Models
import Support

extension Classification {
    package func describe(
        _ report: inout RunReport, metrics: RunReport.Lines, directory: RunDirectory, step: Int
    ) throws(FileError) {
        report.subject = "Classifier of \(settings.method.classes.count) classes"
        report.charts = [
            metrics.accuracyChart("Accuracy on held-out images"),
            metrics.lossChart("Loss (in training with smoothing and mixing)"),
        ]
        if let evaluation = try EvaluationReport(of: directory) {
            report.sections = [try evaluation.html(images: directory.errors)]
        }
    }

    package func describe(_ plan: inout RunPlan, dataset: ImageDataset, given: Set<String>) {
        let (run, method, encoder) = (settings.run, settings.method, settings.encoder)
        if method.patchDropout > 0 { plan.input += ", \(settings.keptCount) of them kept" }
        if method.freeze > 0 { plan.model += "; \(method.freeze) of its blocks frozen" }
        let head =
            switch encoder.headPooling {
            case .classToken: "class token"
            case .attention: "attention pooling"
            default: "mean of the patches"
            }
        plan.rows = [
            ("classes", "\(method.classes.count), from the \(head)"),
            ("layer decay", "\(method.layerDecay), drop path \(method.dropPath)"),
            (
                "augmentation",
                "\(method.augment.rawValue)\(method.flips ? ", flip" : "")\(method.rotates ? ", turn" : ""), "
                    + "RandAugment \(method.randAugment), erasing \(method.erasing), mixup \(method.mixup), cutmix "
                    + "\(method.cutmix), smoothing \(method.smoothing)"
            ),
        ]
        var counts = [Int](repeating: 0, count: method.classes.count)
        for sample in dataset.training { if let label = sample.label { counts[label] += 1 } }
        let (least, most) = (counts.min() ?? 0, counts.max() ?? 0)
        if dataset.validation.isEmpty {
            plan.warnings.append(
                "Nothing is held out, so the last model becomes the result; --validation-fraction 0.1 selects the best."
            )
        }
        if most > 10 * max(1, least), method.classWeights == .none {
            plan.warnings.append(
                "The classes have between \(least) and \(most) images; --class-weights balanced weights them equally.")
        }
        if run.initial.isEmpty, dataset.training.count < 50_000 {
            plan.warnings.append(
                "\(dataset.training.count) images are few to train on from scratch; --init with a trained checkpoint "
                    + "helps, even one that vit pretrain makes of the same images.")
        }
        if given.contains("lr"), run.rate > 4e-3 {
            plan.warnings.append("--lr \(run.rate) is high; most recipes stay below 0.004.")
        }
    }
}
