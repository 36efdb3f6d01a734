import Checkpoints
import Imaging

extension PretrainingRun {
    /// Adds the pictures of this step to the run.
    func writePictures() throws {
        guard let pictures = ReconstructionPictures(shown, trainer: trainer) else { return }
        try Files.makeDirectory(directory.pictures)
        try write(pictures.originals, "original")
        try write(pictures.masked, "masked")
        if let completed = pictures.completed { try write(completed, String(state.step)) }
    }

    private func write(_ image: Image, _ name: String) throws {
        // JPEG has an end to its width.
        let isNarrow = image.width <= 65_500
        let bytes = isNarrow ? image.encodedJPEG(quality: 90) : image.encodedPNG()
        try Files.write(bytes, to: Files.join(directory.pictures, "\(name).jpg"))
    }

    /// Writes `report.html` from the run's metrics and pictures.
    func writeReport() throws {
        let page = RunReport(settings: settings, title: Files.name(of: directory.path), lines: metrics.lines)
        try Files.write(page.html(pictures: pictures()), to: directory.report)
    }

    /// The pictures so far, the oldest first and at most twenty of them, spread over the run.
    private func pictures() -> [RunReport.Picture] {
        let steps = Files.names(in: directory.pictures).compactMap { name -> Int? in
            name.hasSuffix(".jpg") ? Int(name.dropLast(4)) : nil
        }.filter { $0 <= state.step }.sorted()
        let most = 20
        let shownSteps =
            steps.count <= most ? steps : (1...most).map { steps[$0 * (steps.count - 1) / most] }
        let named =
            [("original", "original"), ("masked", "what the encoder sees")] + shownSteps.map { ("\($0)", "step \($0)") }
        return named.compactMap { name, caption in
            guard let bytes = try? Files.bytes(of: Files.join(directory.pictures, "\(name).jpg")) else { return nil }
            return RunReport.Picture(caption: caption, bytes: bytes)
        }
    }
}

/// `report.html`: one page with all in it that a person wants to see of a run.
struct RunReport {
    struct Picture {
        let caption: String
        let bytes: [UInt8]
    }

    let settings: PretrainingSettings
    let title: String
    let lines: [MetricsLine]

    func html(pictures: [Picture]) -> String {
        var page = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>\(escaped(title))</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style>
            body { font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2em auto; padding: 0 1em; color: #222; }
            svg { width: 100%; max-width: 640px; display: block; margin: 1em 0; }
            .title { font: 600 14px system-ui, sans-serif; } .label { font: 11px system-ui, sans-serif; fill: #555; }
            .grid { stroke: #e4e4e4; } td, th { text-align: left; padding: 1px 1em 1px 0; vertical-align: top; }
            figure { margin: 0.4em 0; } figcaption { font-size: 12px; color: #555; }
            img { max-width: 100%; min-width: min(100%, 640px); image-rendering: pixelated; display: block; }
            </style></head><body>
            <h1>\(escaped(title))</h1>
            <p>\(escaped(summary))</p>

            """
        for chart in charts { page += chart.svg + "\n" }
        if !pictures.isEmpty {
            page += "<h2>Reconstructions</h2>\n<p>\(escaped(explanation))</p>\n"
            for picture in pictures {
                let type = picture.bytes.first == 0x89 ? "png" : "jpeg"
                page += "<figure><figcaption>\(escaped(picture.caption))</figcaption>"
                page += "<img alt=\"\(escaped(picture.caption))\" src=\"data:image/\(type);base64,"
                page += "\(base64(picture.bytes))\"></figure>\n"
            }
        }
        page += "<h2>Settings</h2>\n<table>\n"
        for member in settings.json.members ?? [] {
            page += "<tr><th>\(escaped(member.name))</th><td>\(escaped(member.value.text(compact: true)))</td></tr>\n"
        }
        return page + "</table>\n</body></html>\n"
    }

    private var summary: String {
        let last = lines.last
        return "Masked autoencoder, \(last?.step ?? 0) of \(settings.steps) steps of \(settings.effectiveBatch) images."
    }

    private var explanation: String {
        let common =
            "The same images with the same masks at each checkpoint; visible patches are shown as they are, removed "
            + "ones as the decoder completes them."
        return settings.target == .normalized
            ? common
                + " The model predicts patches less their mean and divided by their deviation: both are taken from the "
                + "removed patch itself here, which the model does not see." : common
    }

    private var charts: [LineChart] {
        func line(_ name: String, _ key: String, _ colour: String) -> LineChart.Line {
            let points = lines.compactMap { line in
                line.values.first { $0.name == key }.map { (x: Double(line.step), y: $0.value) }
            }
            return LineChart.Line(name: name, colour: colour, points: points)
        }
        return [
            LineChart(
                title: "Loss over the removed patches", horizontal: "step",
                lines: [line("training", "loss", "#1f6fb4"), line("held out", "validation_loss", "#d9541e")]),
            LineChart(title: "Learning rate", horizontal: "step", lines: [line("rate", "lr", "#2b8a3e")]),
            LineChart(
                title: "Norm of the gradient", horizontal: "step", lines: [line("norm", "gradient_norm", "#7048a8")]),
        ]
    }
}
