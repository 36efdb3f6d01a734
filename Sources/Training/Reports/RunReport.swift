import Models
import Support

/// `report.html`: a run on one page that needs no other file.
package struct RunReport {
    let title: String
    /// How far the run is: "step 3 of 9, …".
    let progress: String
    /// As `config.json` has them.
    let settings: JSON
    /// What is trained: "Masked autoencoder".
    var subject = ""
    var charts: [LineChart] = []
    /// HTML between charts and settings.
    var sections: [String] = []

    init(title: String, progress: String, settings: JSON) {
        (self.title, self.progress, self.settings) = (title, progress, settings)
    }

    var html: String {
        var page = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>\(escaped(title))</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style>
            body { font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2em auto; padding: 0 1em; color: #222; }
            .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 1em; margin: 1em 0; }
            svg { width: 100%; max-width: 640px; display: block; } .cursor { stroke: #999; stroke-dasharray: 3 3; }
            summary { font-weight: 600; font-size: 1.3em; cursor: pointer; margin: 1em 0 0.5em; }
            .title { font: 600 14px system-ui, sans-serif; } .label { font: 11px system-ui, sans-serif; fill: #555; }
            .grid { stroke: #e4e4e4; } td, th { text-align: left; padding: 1px 1em 1px 0; vertical-align: top; }
            figure { margin: 0.4em 0; } figcaption { font-size: 12px; color: #555; }
            img { max-width: 100%; min-width: min(100%, 640px); image-rendering: pixelated; display: block; }
            .confusion { border-collapse: collapse; font-size: 12px; } .confusion td { padding: 2px 5px; text-align: right; }
            .errors { display: flex; flex-wrap: wrap; gap: 12px; } .errors figure { width: 150px; }
            .errors img { min-width: 0; width: 150px; } .errors figcaption { overflow-wrap: anywhere; }
            </style></head><body>
            <h1>\(escaped(title))</h1>
            <p>\(escaped("\(subject): \(progress)."))</p>

            """
        page += "<div class=\"charts\">\n"
        for chart in charts { page += chart.svg + "\n" }
        page += "</div>\n" + sections.joined()
        page += "<details><summary>Settings</summary>\n<table>\n"
        for member in settings.members ?? [] {
            page += "<tr><th>\(escaped(member.name))</th><td>\(escaped(member.value.text(compact: true)))</td></tr>\n"
        }
        return page + "</table></details>\n<script>\n\(LineChart.script)\n</script></body></html>\n"
    }
}

extension RunReport {
    /// An image with a caption.
    struct Figure {
        let caption: String
        let bytes: [UInt8]

        var html: String {
            let type = bytes.first == 0x89 ? "png" : "jpeg"
            return "<figure><figcaption>\(escaped(caption))</figcaption><img alt=\"\(escaped(caption))\" "
                + "src=\"data:image/\(type);base64,\(base64(bytes))\"></figure>\n"
        }
    }

    /// The metrics of a run as lines of charts.
    package struct Lines {
        enum Colour: String {
            case blue = "#1f6fb4"
            case orange = "#d9541e"
            case green = "#2b8a3e"
            case violet = "#7048a8"
        }

        private let metrics: [MetricsLine]

        init(_ metrics: [MetricsLine]) { self.metrics = metrics }

        /// The values under `key` by step.
        func line(_ name: String, _ key: String, _ colour: Colour) -> LineChart.Line {
            let points = metrics.compactMap { line in
                line.values.first { $0.name == key }.map { (x: Double(line.step), y: $0.value) }
            }
            return LineChart.Line(name: name, colour: colour.rawValue, points: points)
        }

        /// The loss in training and on held-out images.
        func lossChart(_ title: String) -> LineChart {
            LineChart(
                title: title, horizontal: "step",
                lines: [line("training", "loss", .blue), line("held out", "validation_loss", .orange)])
        }

        /// The accuracy on held-out images.
        func accuracyChart(_ title: String) -> LineChart {
            LineChart(
                title: title, horizontal: "step", lines: [line("accuracy", "validation_accuracy", .orange)])
        }

        /// The charts that every run has beside its loss.
        var rateAndNorm: [LineChart] {
            [
                LineChart(title: "Learning rate", horizontal: "step", lines: [line("learning rate", "lr", .green)]),
                LineChart(
                    title: "Gradient norm", horizontal: "step",
                    lines: [line("norm", "gradient_norm", .violet)]),
            ]
        }
    }
}
