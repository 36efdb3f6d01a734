import Models
import Support

/// `report.html`: a run on one page that needs no other file.
package struct RunReport {
    let title: String
    /// How far the run is: "step 3 of 9, …".
    let progress: String
    /// As `config.json` has them, without those that were of no use.
    let settings: JSON
    /// The command that began it; empty if it was none.
    var command = ""
    /// What is trained: "Masked autoencoder".
    var subject = ""
    var charts: [LineChart] = []
    /// HTML between charts and settings.
    var sections: [String] = []

    init(title: String, progress: String, settings: JSON) {
        (self.title, self.progress, self.settings) = (title, progress, settings)
    }

    var html: String {
        var body = "<h1>\(escaped(title))</h1>\n<p>\(escaped("\(subject): \(progress)."))</p>\n"
        if !command.isEmpty { body += "<p><code>\(escaped(command))</code></p>\n" }
        body += LineChart.controls + "<div class=\"charts\">\n\(charts.map(\.html).joined())</div>\n"
        body += sections.joined() + "<details><summary>Settings</summary>\n<table>\n"
        for member in settings.members ?? [] {
            body += "<tr><th>\(escaped(member.name))</th><td>\(escaped(member.value.text(compact: true)))</td></tr>\n"
        }
        body += "</table></details>\n<script>\n\(LineChart.script)\n</script>"
        return htmlPage(title: title, style: LineChart.style + Self.style, body: body)
    }

    private static let style = """

        body { font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2em auto; padding: 0 1em; color: #222; }
        code { display: block; background: #f3f3f3; padding: 4px 8px; border-radius: 4px; white-space: pre; overflow-x: auto; }
        summary { font-weight: 600; font-size: 1.3em; cursor: pointer; margin: 1em 0 0.5em; }
        td, th { text-align: left; padding: 1px 1em 1px 0; vertical-align: top; } td { overflow-wrap: anywhere; }
        figure { margin: 0.8em 0; } figcaption { font-size: 13px; color: #555; }
        img { width: 100%; image-rendering: pixelated; display: block; }
        .confusion { border-collapse: collapse; font-size: 12px; } .confusion td { padding: 2px 5px; text-align: right; }
        .errors { display: flex; flex-wrap: wrap; gap: 12px; } .errors figure { width: 150px; margin: 0; display: flex;
          flex-direction: column-reverse; justify-content: flex-end; }
        .errors figcaption { overflow-wrap: anywhere; }
        """
}

extension RunReport {
    /// An image with a caption.
    struct Figure {
        let caption: String
        let bytes: [UInt8]

        /// The content of an image file; nil where there is none.
        static func bytes(of path: String) throws(FileError) -> [UInt8]? {
            do throws(SystemError) {
                return try Files.bytes(of: path)
            } catch {
                if error.isMissing { return nil }
                throw FileError(opening: path, expected: "an image", error)
            }
        }

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

        private let curves: MetricsCurves

        init(_ curves: MetricsCurves) { self.curves = curves }

        /// The values under `key` by step.
        func line(_ name: String, _ key: String, _ colour: Colour) -> LineChart.Line {
            LineChart.Line(name: name, colour: colour.rawValue, points: curves.points(of: key))
        }

        /// How long the run has trained, and how fast, if a line of metrics says: "3 minutes of training at 512 images/s".
        func pace(imagesPerStep: Int) -> String? {
            let images = curves.timedSteps * imagesPerStep
            let seconds = curves.secondsPerImage * Double(imagesPerStep)
            guard seconds > 0 else { return nil }
            let duration = seconds < 10 ? "\(fixed(seconds, 1)) seconds" : RunPlan.duration(seconds)
            let speed = Double(images) / seconds
            return "\(duration) of training at \(fixed(speed, speed < 10 ? 1 : 0)) images/s"
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
