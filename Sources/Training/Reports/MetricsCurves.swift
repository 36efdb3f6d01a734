/// The metrics of a run as a report shows them: curves of so many points at most, however long the run is.
package struct MetricsCurves {
    /// A value by step; where there are many, means over equal stretches.
    private struct Curve {
        private(set) var points: [(x: Double, y: Double)] = []
        /// How many values a point stands for; the last one may stand for fewer.
        private var valuesPerPoint = 1
        private var valuesOfLast = 0

        mutating func append(_ x: Double, _ y: Double) {
            if valuesOfLast == valuesPerPoint || points.isEmpty {
                if points.count == MetricsCurves.mostPoints { halve() }
                points.append((x, y))
                valuesOfLast = 1
            } else {
                valuesOfLast += 1
                let share = 1 / Double(valuesOfLast)
                let last = points[points.count - 1]
                points[points.count - 1] = (last.x + (x - last.x) * share, last.y + (y - last.y) * share)
            }
        }

        /// Takes two points each together.
        private mutating func halve() {
            for index in 0..<points.count / 2 {
                let (one, other) = (points[2 * index], points[2 * index + 1])
                points[index] = ((one.x + other.x) / 2, (one.y + other.y) / 2)
            }
            points.removeSubrange((points.count / 2)...)
            valuesPerPoint *= 2
        }
    }

    /// More than a chart shows, and an even number.
    package static let mostPoints = 2048

    private var curves: [String: Curve] = [:]
    /// The last step of which a speed is known.
    private(set) var timedSteps = 0
    /// The time that these steps took, divided by the images of one step.
    ///
    /// From the speeds, since between the times of two lines the run may have been interrupted.
    private(set) var secondsPerImage = 0.0

    package init() {}

    package mutating func append(_ line: MetricsLine) {
        for (name, value) in line.values {
            if value.isFinite { curves[name, default: Curve()].append(Double(line.step), value) }
            if name == "images_per_second", value > 0 {
                secondsPerImage += Double(line.step - timedSteps) / value
                timedSteps = line.step
            }
        }
    }

    /// The values under a name, by step.
    package func points(of name: String) -> [(x: Double, y: Double)] { curves[name]?.points ?? [] }
}
