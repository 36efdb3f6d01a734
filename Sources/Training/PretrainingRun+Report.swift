import Checkpoints
import Imaging
import Support

extension PretrainingRun {
    /// Adds the pictures of this step to the run.
    func writePictures(_ loop: TrainingLoop) throws {
        guard let pictures = ReconstructionPictures(shown, trainer: trainer) else { return }
        let directory = loop.directory
        try Files.makeDirectory(directory.pictures)
        try write(pictures.originals, "original", directory)
        try write(pictures.masked, "masked", directory)
        if let completed = pictures.completed { try write(completed, String(loop.state.step), directory) }
    }

    private func write(_ image: Image, _ name: String, _ directory: RunDirectory) throws {
        // JPEG has an end to its width.
        let isNarrow = image.width <= 65_500
        let bytes = isNarrow ? image.encodedJPEG(quality: 90) : image.encodedPNG()
        try Files.write(bytes, to: Files.join(directory.pictures, "\(name).jpg"))
    }

    /// Writes `report.html` from the run's metrics and pictures.
    func writeReport(_ loop: TrainingLoop) throws {
        var report = RunReport(
            title: Files.name(of: loop.directory.path),
            summary: "Masked autoencoder, \(loop.metrics.lines.last?.step ?? 0) of \(settings.steps) steps of "
                + "\(settings.effectiveBatch) images.",
            settings: settings.json)
        let lines = RunReport.Lines(loop.metrics.lines)
        report.charts =
            [
                LineChart(
                    title: "Loss over the removed patches", horizontal: "step",
                    lines: [
                        lines.line("training", "loss", .blue), lines.line("held out", "validation_loss", .orange),
                    ])
            ] + lines.rateAndNorm
        let pictures = pictures(loop)
        if !pictures.isEmpty { report.sections = [section(pictures)] }
        try Files.write(report.html, to: loop.directory.report)
    }

    /// The pictures so far, the oldest first and at most twenty of them, spread over the run.
    private func pictures(_ loop: TrainingLoop) -> [RunReport.Picture] {
        let directory = loop.directory.pictures
        let steps = Files.names(in: directory).compactMap { name -> Int? in
            name.hasSuffix(".jpg") ? Int(name.dropLast(4)) : nil
        }.filter { $0 <= loop.state.step }.sorted()
        let most = 20
        let shownSteps =
            steps.count <= most ? steps : (1...most).map { steps[$0 * (steps.count - 1) / most] }
        let named =
            [("original", "original"), ("masked", "what the encoder sees")] + shownSteps.map { ("\($0)", "step \($0)") }
        return named.compactMap { name, caption in
            guard let bytes = try? Files.bytes(of: Files.join(directory, "\(name).jpg")) else { return nil }
            return RunReport.Picture(caption: caption, bytes: bytes)
        }
    }

    private func section(_ pictures: [RunReport.Picture]) -> String {
        let common =
            "The same images with the same masks at each checkpoint; visible patches are shown as they are, removed "
            + "ones as the decoder completes them."
        let explanation =
            settings.target == .normalized
            ? common
                + " The model predicts patches less their mean and divided by their deviation: both are taken from the "
                + "removed patch itself here, which the model does not see." : common
        return "<h2>Reconstructions</h2>\n<p>\(escaped(explanation))</p>\n" + pictures.map(\.html).joined()
    }
}
