import Support

/// A chart of one or two lines as inline SVG; `script` shows the values under the pointer.
struct LineChart {
    struct Line {
        let name: String
        let colour: String
        let points: [(x: Double, y: Double)]
    }

    let title: String
    let horizontal: String
    let lines: [Line]

    init(title: String, horizontal: String, lines: [Line]) {
        self.title = title
        self.horizontal = horizontal
        self.lines = lines
    }

    // In units of the view box, as the page's script knows them too.
    static let (width, height, left, right, top, bottom) = (640.0, 300.0, 64.0, 12.0, 30.0, 40.0)
    /// More points than this are averaged; nobody sees the difference.
    private static let mostPoints = 1000

    /// The chart, with a switch to a logarithmic scale where all values have logarithms; empty where there are no points.
    var html: String {
        let svg = svg
        if svg.isEmpty { return "" }
        let values = lines.flatMap(\.points).map(\.y).filter(\.isFinite)
        let log = "<label hidden><input type=\"checkbox\"> log</label>"
        return "<div class=\"chart\">\(svg)\(values.allSatisfy { $0 > 0 } ? log : "")</div>\n"
    }

    private var svg: String {
        let (width, height, left) = (Self.width, Self.height, Self.left)
        let (right, top, bottom) = (Self.right, Self.top, Self.bottom)
        let shown = lines.map { line in
            Line(name: line.name, colour: line.colour, points: Self.thinned(line.points.filter { $0.y.isFinite }))
        }.filter { !$0.points.isEmpty }
        let all = shown.flatMap(\.points)
        guard let x = Self.span(all.map(\.x)), let y = Self.span(all.map(\.y)) else { return "" }
        func place(_ point: (x: Double, y: Double)) -> String {
            let px = left + (point.x - x.lowerBound) / (x.upperBound - x.lowerBound) * (width - left - right)
            let py =
                height - bottom - (point.y - y.lowerBound) / (y.upperBound - y.lowerBound) * (height - top - bottom)
            return "\(fixed(px, 1)),\(fixed(py, 1))"
        }
        var svg = "<svg viewBox=\"0 0 \(Int(width)) \(Int(height))\" role=\"img\" aria-label=\"\(escaped(title))\">"
        svg += text(width / 2, 18, title, "middle", "title")
        svg += "<g class=\"ticks\">"
        for tick in Ticks.values(y) {
            let py = height - bottom - (tick - y.lowerBound) / (y.upperBound - y.lowerBound) * (height - top - bottom)
            svg += "<path class=\"grid\" d=\"M\(fixed(left, 1)) \(fixed(py, 1))H\(fixed(width - right, 1))\"/>"
            svg += text(left - 6, py + 4, Ticks.text(tick), "end")
        }
        svg += "</g>"
        for tick in Ticks.values(x) {
            let px = left + (tick - x.lowerBound) / (x.upperBound - x.lowerBound) * (width - left - right)
            svg += text(px, height - bottom + 16, Ticks.text(tick), "middle")
        }
        svg += text(width / 2, height - 6, horizontal, "middle", "label axis")
        for (index, line) in shown.enumerated() {
            let points = line.points.map(place).joined(separator: " ")
            let values = line.points.map { "\(fixed($0.x, 0)) \(Float($0.y))" }.joined(separator: " ")
            svg +=
                "<g class=\"line\"><polyline fill=\"none\" stroke=\"\(line.colour)\" stroke-width=\"1.6\" points=\"\(points)\" "
            svg += "data-name=\"\(escaped(line.name))\" data-values=\"\(values)\"/>"
            if line.points.count < 60 {
                for point in line.points {
                    let parts = place(point).split(separator: ",")
                    svg += "<circle cx=\"\(parts[0])\" cy=\"\(parts[1])\" r=\"2.2\" fill=\"\(line.colour)\"/>"
                }
            }
            svg += "</g>"
            if shown.count > 1 {
                let y = top + 14 + Double(index) * 16
                svg +=
                    "<path stroke=\"\(line.colour)\" stroke-width=\"2\" d=\"M\(fixed(width - 150, 0)) \(fixed(y - 4, 0))h18\"/>"
                svg += text(width - 126, y, line.name, "start")
            }
        }
        return svg + "</svg>"
    }

    private func text(_ x: Double, _ y: Double, _ content: String, _ anchor: String, _ style: String = "label")
        -> String
    {
        "<text class=\"\(style)\" x=\"\(fixed(x, 1))\" y=\"\(fixed(y, 1))\" text-anchor=\"\(anchor)\">\(escaped(content))</text>"
    }

    private static func thinned(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
        guard points.count > mostPoints else { return points }
        // Means over equal stretches keep the trend and lose the noise.
        return (0..<mostPoints).map { index in
            let part = points[index * points.count / mostPoints..<(index + 1) * points.count / mostPoints]
            let count = Double(part.count)
            return (part.reduce(0) { $0 + $1.x } / count, part.reduce(0) { $0 + $1.y } / count)
        }
    }

    private static func span(_ values: [Double]) -> ClosedRange<Double>? {
        guard let low = values.min(), let high = values.max() else { return nil }
        return low < high ? low...high : low - 0.5...high + 0.5
    }
}
