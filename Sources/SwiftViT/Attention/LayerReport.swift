import Imaging
import Models
import Support

/// The statistics of a model's layers as a self-contained HTML page.
package struct LayerReport {
    private let statistics: LayerStatistics
    private let title: String

    package init(_ statistics: LayerStatistics, title: String) {
        self.statistics = statistics
        self.title = title
    }

    /// The page.
    package var html: String {
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>\(escaped(title))</title>
        <meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
        <style>
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 800px; margin: 2em auto; padding: 0 1em; color: #222; }
        svg { width: 100%; max-width: 680px; display: block; margin: 1em 0; }
        text { font: 11px system-ui, sans-serif; fill: #555; } .grid { stroke: #e4e4e4; }
        table { border-collapse: collapse; font-size: 12px; } td, th { padding: 1px 8px; text-align: right; }
        </style></head><body>
        <h1>\(escaped(title))</h1>
        <p>Layers of the encoder, averaged over \(statistics.imageCount) images.</p>
        <h2>Mean attention distance</h2>
        <p>The mean distance, in pixels, between a patch and the patches it attends to, one point per head. Heads that attend
        locally are low, heads that attend globally are high (Dosovitskiy et al. 2021, section 4.5; Raghu et al. 2021,
        section 3).</p>
        \(distanceChart)
        \(distanceTable)
        <h2>Layer similarity</h2>
        \(similarity)
        </body></html>

        """
    }

    private var distanceChart: String {
        let distances = statistics.meanDistances
        let (width, height, left, bottom) = (680.0, 320.0, 46.0, 34.0)
        let most = max(distances.joined().max() ?? 1, 1e-9) * 1.05
        func x(_ layer: Int) -> Double { left + (Double(layer) + 0.5) / Double(distances.count) * (width - left - 8) }
        func y(_ distance: Double) -> Double { (height - bottom) * (1 - distance / most) + 6 }
        var svg =
            "<svg viewBox=\"0 0 \(Int(width)) \(Int(height))\" role=\"img\" aria-label=\"Mean attention distance\">"
        for tick in 0...4 {
            let value = most / 1.05 * Double(tick) / 4
            svg += "<path class=\"grid\" d=\"M\(Int(left)) \(fixed(y(value), 1))H\(Int(width - 8))\"/>"
            svg +=
                "<text x=\"\(Int(left - 6))\" y=\"\(fixed(y(value) + 4, 1))\" text-anchor=\"end\">\(fixed(value, 0))</text>"
        }
        for (layer, heads) in distances.enumerated() {
            svg +=
                "<text x=\"\(fixed(x(layer), 1))\" y=\"\(Int(height - 14))\" text-anchor=\"middle\">\(layer + 1)</text>"
            for (head, distance) in heads.enumerated() {
                svg += "<circle cx=\"\(fixed(x(layer), 1))\" cy=\"\(fixed(y(distance), 1))\" r=\"4\" fill=\"#1f6fb4\" "
                svg +=
                    "fill-opacity=\"0.6\"><title>layer \(layer + 1), head \(head + 1): \(fixed(distance, 1))</title></circle>"
            }
        }
        return svg + "<text x=\"\(Int(width / 2))\" y=\"\(Int(height - 4))\" text-anchor=\"middle\">layer</text></svg>"
    }

    private var distanceTable: String {
        let heads = statistics.meanDistances.first?.count ?? 0
        var table = "<details><summary>Table</summary><table><tr><th>layer</th>"
        table += (0..<heads).map { "<th>head \($0 + 1)</th>" }.joined() + "</tr>\n"
        for (layer, distances) in statistics.meanDistances.enumerated() {
            table += "<tr><th>\(layer + 1)</th>" + distances.map { "<td>\(fixed($0, 1))</td>" }.joined() + "</tr>\n"
        }
        return table + "</table></details>"
    }

    private var similarity: String {
        guard let matrix = statistics.similarities else {
            return "<p>Linear CKA takes \(LayerSimilarity.minimumImageCount) images at least.</p>"
        }
        let count = statistics.meanDistances.count
        let (side, margin) = (560.0 / Double(max(count, 1)), 40.0)
        let size = Int(560 + margin + 4)
        var svg =
            "<p>Linear CKA between the outputs of each pair of layers, from 0 (black) to 1 (white) (Kornblith et al. 2019; "
        svg += "minibatch estimator of Nguyen et al. 2021, as used by Raghu et al. 2021).</p>\n"
        svg += "<svg viewBox=\"0 0 \(size) \(size)\" role=\"img\" aria-label=\"Layer similarity\">"
        for row in 0..<count {
            let middle = (Double(row) + 0.5) * side
            svg += "<text x=\"34\" y=\"\(fixed(middle + 4, 1))\" text-anchor=\"end\">\(row + 1)</text>"
            svg +=
                "<text x=\"\(fixed(margin + middle, 1))\" y=\"\(size - 22)\" text-anchor=\"middle\">\(row + 1)</text>"
            for column in 0..<count {
                let value = matrix[row * count + column]
                let color = ColorMap.color(value)
                svg += "<rect x=\"\(fixed(margin + Double(column) * side, 1))\" y=\"\(fixed(Double(row) * side, 1))\" "
                svg += "width=\"\(fixed(side, 1))\" height=\"\(fixed(side, 1))\" "
                svg += "fill=\"rgb(\(color.red) \(color.green) \(color.blue))\">"
                svg += "<title>layers \(row + 1) and \(column + 1): \(fixed(value, 3))</title></rect>"
            }
        }
        return svg + "</svg>"
    }
}
