import LibC
import Models
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

    private let width = 640.0
    private let height = 300.0
    private let left = 64.0
    private let right = 12.0
    private let top = 30.0
    private let bottom = 40.0
    /// More points than this are averaged; nobody sees the difference.
    private static let mostPoints = 1000

    /// The chart; empty where there are no two points.
    var svg: String {
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
        for tick in Self.ticks(y) {
            let py = height - bottom - (tick - y.lowerBound) / (y.upperBound - y.lowerBound) * (height - top - bottom)
            svg += "<path class=\"grid\" d=\"M\(fixed(left, 1)) \(fixed(py, 1))H\(fixed(width - right, 1))\"/>"
            svg += text(left - 6, py + 4, compact(tick), "end")
        }
        for tick in Self.ticks(x) {
            let px = left + (tick - x.lowerBound) / (x.upperBound - x.lowerBound) * (width - left - right)
            svg += text(px, height - bottom + 16, compact(tick), "middle")
        }
        svg += text(width / 2, height - 6, horizontal, "middle", "label axis")
        for (index, line) in shown.enumerated() {
            let points = line.points.map(place).joined(separator: " ")
            let values = line.points.map { "\(fixed($0.x, 0)) \(Float($0.y))" }.joined(separator: " ")
            svg += "<polyline fill=\"none\" stroke=\"\(line.colour)\" stroke-width=\"1.6\" points=\"\(points)\" "
            svg += "data-name=\"\(escaped(line.name))\" data-values=\"\(values)\"/>"
            if line.points.count < 60 {
                for point in line.points {
                    let parts = place(point).split(separator: ",")
                    svg += "<circle cx=\"\(parts[0])\" cy=\"\(parts[1])\" r=\"2.2\" fill=\"\(line.colour)\"/>"
                }
            }
            if shown.count > 1 {
                let y = top + 14 + Double(index) * 16
                svg +=
                    "<path stroke=\"\(line.colour)\" stroke-width=\"2\" d=\"M\(fixed(width - 150, 0)) \(fixed(y - 4, 0))h18\"/>"
                svg += text(width - 126, y, line.name, "start")
            }
        }
        return svg + "</svg>"
    }

    /// For a page with charts: the values of each line at the step next to the pointer, in the place of the axis' name.
    static let script = """
        for (const svg of document.querySelectorAll('svg')) {
          const axis = svg.querySelector('.axis'), name = axis.textContent;
          const cursor = document.createElementNS(svg.namespaceURI, 'path');
          cursor.setAttribute('class', 'cursor');
          svg.append(cursor);
          const lines = [...svg.querySelectorAll('polyline')].map(line => ({
            name: line.dataset.name, values: line.dataset.values.split(' '),
            places: line.getAttribute('points').split(' ').map(place => Number(place.split(',')[0])) }));
          svg.addEventListener('pointermove', event => {
            const box = svg.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
            axis.textContent = lines.map(line => {
              const nearest = line.places.reduce((best, place, i) =>
                Math.abs(place - x) < Math.abs(line.places[best] - x) ? i : best, 0);
              cursor.setAttribute('d', `M${line.places[nearest]} 30V260`);
              return `${name} ${line.values[2 * nearest]}: ${line.name} ${line.values[2 * nearest + 1]}`;
            }).join(' · ');
          });
          svg.addEventListener('pointerleave', () => { axis.textContent = name; cursor.removeAttribute('d'); });
        }
        """

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

    /// Round numbers within a range, three to nine of them.
    static func ticks(_ range: ClosedRange<Double>) -> [Double] {
        let rough = (range.upperBound - range.lowerBound) / 8
        let magnitude = pow(10, log10(rough).rounded(.down))
        let step = [1.0, 2, 5, 10].map { $0 * magnitude }.first { $0 >= rough } ?? rough
        let first = (range.lowerBound / step).rounded(.up)
        return (0..<12).map { (first + Double($0)) * step }.filter { $0 <= range.upperBound + step * 1e-9 }
    }

    private func compact(_ value: Double) -> String {
        let size = abs(value)
        if size != 0, size < 1e-3 || size >= 1e6 {
            let exponent = log10(size).rounded(.down)
            return "\(trimmed(value / pow(10, exponent), 2))e\(Int(exponent))"
        }
        return trimmed(value, 4)
    }

    private func trimmed(_ value: Double, _ digits: Int) -> String {
        var text = Substring(fixed(value, digits))
        while text.contains("."), text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text == "-0" ? "0" : String(text)
    }
}
