import LibC

/// Round numbers along the axis of a chart.
package enum Ticks {
    /// Three to nine round numbers within a range.
    package static func values(_ range: ClosedRange<Double>) -> [Double] {
        let rough = (range.upperBound - range.lowerBound) / 8
        let magnitude = pow(10, log10(rough).rounded(.down))
        let step = [1.0, 2, 5, 10].map { $0 * magnitude }.first { $0 >= rough } ?? rough
        let first = (range.lowerBound / step).rounded(.up)
        return (0..<12).map { (first + Double($0)) * step }.filter { $0 <= range.upperBound + step * 1e-9 }
    }

    /// A number in few characters: "0.25", "1.5e-5".
    package static func text(_ value: Double) -> String {
        let size = abs(value)
        if size != 0, size < 1e-3 || size >= 1e6 {
            let exponent = log10(size).rounded(.down)
            return "\(trimmed(value / pow(10, exponent), 2))e\(Int(exponent))"
        }
        return trimmed(value, 4)
    }

    private static func trimmed(_ value: Double, _ digits: Int) -> String {
        var text = Substring(fixed(value, digits))
        while text.contains("."), text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text == "-0" ? "0" : String(text)
    }
}
