import Datasets
import Models
import Support

extension MAE {
    package func describe(
        _ report: inout RunReport, metrics: RunReport.Lines, directory: RunDirectory, step: Int
    ) throws(FileError) {
        report.subject = "Masked autoencoder"
        report.charts = [metrics.lossChart("Loss on masked patches")]
        let figures = try figures(directory, step: step)
        guard !figures.isEmpty else { return }
        var text =
            "The same images with the same masks at the first, the middle and the last checkpoint: visible patches as they "
        text += "are, masked patches as the model predicts them."
        if settings.method.target == .normalized {
            text += " It predicts normalized patches; they are shown with the mean and deviation of the masked patch, "
            text += "which the model does not see."
        }
        report.sections = ["<h2>Reconstructions</h2>\n<p>\(escaped(text))</p>\n" + figures.map(\.html).joined()]
    }

    /// The reconstructions of the first, the middle and the last checkpoint so far.
    private func figures(_ directory: RunDirectory, step: Int) throws(FileError) -> [RunReport.Figure] {
        let steps = try Files.names(in: directory.reconstructions).compactMap { name -> Int? in
            name.hasSuffix(".jpg") ? Int(name.dropLast(4)) : nil
        }.filter { $0 <= step }.sorted()
        let shown = steps.count <= 3 ? steps : [steps[0], steps[steps.count / 2], steps[steps.count - 1]]
        let captions =
            [("original", "originals"), ("masked", "visible patches")] + shown.map { ("\($0)", "step \($0)") }
        var figures: [RunReport.Figure] = []
        for (name, caption) in captions {
            let bytes = try RunReport.Figure.bytes(of: Files.join(directory.reconstructions, "\(name).jpg"))
            if let bytes { figures.append(RunReport.Figure(caption: caption, bytes: bytes)) }
        }
        return figures
    }

    package func describe(_ plan: inout RunPlan, dataset: ImageDataset, given: Set<String>) {
        let (run, method) = (settings.run, settings.method)
        plan.model += "; decoder: width \(method.decoderWidth), depth \(method.decoderDepth), "
        plan.model += "heads \(method.decoderHeads)"
        plan.input += ", \(settings.model.keptCount) visible"
        let size = settings.encoder.imageSize
        if size.height != size.width {
            plan.warnings.append(
                "transformers cannot build a masked autoencoder for images of \(size.text) pixels, which are not square; "
                    + "vit convert RUN/model --to mae, or --to timm, makes a checkpoint that other programs load.")
        }
        if plan.imageCount < 10_000 {
            plan.warnings.append(
                "\(plan.imageCount) images are few: masked autoencoders need tens of thousands; --init with a trained "
                    + "checkpoint or a small model helps.")
        }
        if run.steps < 5_000 {
            plan.warnings.append("\(run.steps) steps are few; useful features take tens of thousands.")
        }
        if let rate = run.baseRate, given.contains("blr"), rate != 1.5e-4 {
            plan.warnings.append("--blr \(rate) is not the paper's 0.00015.")
        }
        let usual = LearningRateSchedule.maskedAutoencoding(effectiveBatch: run.effectiveBatch)
        if given.contains("lr"), run.rate > 4 * usual {
            plan.warnings.append(
                "--lr \(run.rate) is high for a batch of \(run.effectiveBatch); the default is \(usual).")
        }
        if method.maskRatio < 0.5 || method.maskRatio > 0.9 {
            plan.warnings.append(
                "A mask ratio of \(method.maskRatio) is far from 0.75, which works best for most data.")
        }
        if settings.encoder.patchCount < 36 {
            plan.warnings.append(
                "\(settings.encoder.patchCount) patches per image leave little to mask; a smaller --patch-size helps.")
        }
    }
}
