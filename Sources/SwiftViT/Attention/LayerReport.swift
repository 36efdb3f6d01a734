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
        htmlPage(
            title: title,
            style: """
                body { font: 15px/1.5 system-ui, sans-serif; max-width: 800px; margin: 2em auto; padding: 0 1em; color: #222; }
                svg { width: 100%; max-width: 680px; display: block; margin: 1em 0; }
                text { font: 13px system-ui, sans-serif; fill: #555; } .grid { stroke: #e4e4e4; } .frame { stroke: #999; }
                table { border-collapse: collapse; font-size: 12px; } td, th { padding: 1px 8px; text-align: right; }
                """,
            body: """
                <h1>\(escaped(title))</h1>
                <p>Layers of the encoder, averaged over \(statistics.imageCount) images.</p>
                <h2>Mean attention distance</h2>
                <p>The mean distance, in pixels, between a patch and the patches it attends to, one point per head. Heads that
                attend locally are low, heads that attend globally are high (Dosovitskiy et al. 2021, section 4.5; Raghu et al.
                2021, section 3).</p>
                \(distanceChart)
                \(distanceTable)
                <h2>Layer similarity</h2>
                \(similarity)
                """)
    }

    private var distanceChart: String {
        let distances = statistics.meanDistances
        let (width, height, left, bottom) = (680.0, 320.0, 46.0, 34.0)
        let most = max(distances.joined().max() ?? 1, 1e-9) * 1.05
        func x(_ layer: Int) -> Double { left + (Double(layer) + 0.5) / Double(distances.count) * (width - left - 8) }
        func y(_ distance: Double) -> Double { (height - bottom) * (1 - distance / most) + 6 }
        var svg =
            "<svg viewBox=\"0 0 \(Int(width)) \(Int(height + 6))\" role=\"img\" aria-label=\"Mean attention distance\">"
        for tick in Ticks.values(0...most) {
            svg += "<path class=\"grid\" d=\"M\(Int(left)) \(fixed(y(tick), 1))H\(Int(width - 8))\"/>"
            svg += text(left - 6, y(tick) + 4, "end", Ticks.text(tick))
        }
        for layer in labelled { svg += text(x(layer), height - 12, "middle", "\(layer + 1)") }
        for (layer, heads) in distances.enumerated() {
            for (head, distance) in heads.enumerated() {
                svg += "<circle cx=\"\(fixed(x(layer), 1))\" cy=\"\(fixed(y(distance), 1))\" r=\"4\" fill=\"#1f6fb4\" "
                svg +=
                    "fill-opacity=\"0.6\"><title>layer \(layer + 1), head \(head + 1): \(fixed(distance, 1))</title></circle>"
            }
        }
        return svg + text((left + width) / 2, height + 3, "middle", "layer") + "</svg>"
    }

    /// The layers that an axis names, counted from 0: each, or every second, and so on, of many.
    private var labelled: [Int] {
        let count = statistics.meanDistances.count
        let step = (count + 23) / 24
        return (0..<count).filter { $0 == 0 || ($0 + 1) % max(step, 1) == 0 }
    }

    private func text(_ x: Double, _ y: Double, _ anchor: String, _ content: String) -> String {
        "<text x=\"\(fixed(x, 1))\" y=\"\(fixed(y, 1))\" text-anchor=\"\(anchor)\">\(content)</text>"
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
        let (extent, margin) = (560.0, 40.0)
        let side = extent / Double(max(count, 1))
        var svg =
            "<p>Linear CKA between the outputs of each pair of layers (Kornblith et al. 2019; minibatch estimator of Nguyen "
        svg += "et al. 2021, as used by Raghu et al. 2021).</p>\n"
        svg += "<svg viewBox=\"0 0 680 \(Int(extent + margin))\" role=\"img\" aria-label=\"Layer similarity\">"
        for row in 0..<count {
            for column in 0..<count {
                let value = matrix[row * count + column]
                svg +=
                    "<rect x=\"\(fixed(margin + Double(column) * side, 1))\" y=\"\(fixed(Double(row) * side + 1, 1))\" "
                svg += "width=\"\(fixed(side, 1))\" height=\"\(fixed(side, 1))\" fill=\"\(fill(value))\">"
                svg += "<title>layers \(row + 1) and \(column + 1): \(fixed(value, 3))</title></rect>"
            }
        }
        for layer in labelled {
            let middle = (Double(layer) + 0.5) * side
            svg += text(34, middle + 5, "end", "\(layer + 1)")
            svg += text(margin + middle, extent + 17, "middle", "\(layer + 1)")
        }
        svg += frame(margin, 1, extent, extent) + text(margin + extent / 2, extent + 34, "middle", "layer")
        return svg + colorBar(x: margin + extent + 20, height: extent) + "</svg>"
    }

    /// The scale from 0, below, to 1.
    private func colorBar(x: Double, height: Double) -> String {
        let stops = (0...32).map {
            "<stop offset=\"\(fixed(Double($0) / 32, 4))\" stop-color=\"\(fill(Double($0) / 32))\"/>"
        }
        var svg = "<linearGradient id=\"scale\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\">\(stops.joined())</linearGradient>"
        svg += frame(x, 1, 16, height, fill: "url(#scale)")
        for value in Ticks.values(0...1) {
            svg += text(
                x + 21, 1 + (1 - value) * height + (value == 1 ? 9 : value == 0 ? 0 : 4), "start", Ticks.text(value))
        }
        return svg
    }

    private func frame(_ x: Double, _ y: Double, _ width: Double, _ height: Double, fill: String = "none") -> String {
        "<rect class=\"frame\" x=\"\(fixed(x, 1))\" y=\"\(fixed(y, 1))\" width=\"\(fixed(width, 1))\" "
            + "height=\"\(fixed(height, 1))\" fill=\"\(fill)\"/>"
    }

    private func fill(_ value: Double) -> String {
        let color = ColorMap.color(value)
        return "rgb(\(color.red) \(color.green) \(color.blue))"
    }
}
