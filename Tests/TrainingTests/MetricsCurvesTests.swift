import Testing

import Training

/// What a report shows of a run's metrics takes no more memory the longer the run is.
@Suite struct MetricsCurvesTests {
    @Test func fewValuesAreKeptAsTheyAre() {
        var curves = MetricsCurves()
        curves.append(MetricsLine(step: 5, values: [("loss", 0.5), ("lr", 1e-3)]))
        curves.append(MetricsLine(step: 10, values: [("loss", .nan), ("lr", 2e-3)]))
        curves.append(MetricsLine(step: 15, values: [("loss", 0.25), ("lr", 3e-3)]))
        #expect(curves.points(of: "loss").map(\.x) == [5, 15])
        #expect(curves.points(of: "loss").map(\.y) == [0.5, 0.25])
        #expect(curves.points(of: "lr").map(\.y) == [1e-3, 2e-3, 3e-3])
        #expect(curves.points(of: "accuracy").isEmpty)
    }

    @Test(arguments: [2048, 2049, 50_000, 65_536])
    func manyValuesBecomeMeans(count: Int) throws {
        var curves = MetricsCurves()
        for step in 1...count { curves.append(MetricsLine(step: step, values: [("loss", Double(3 * step))])) }
        let points = curves.points(of: "loss")
        #expect((MetricsCurves.mostPoints / 2...MetricsCurves.mostPoints).contains(points.count))
        // Each is the mean of steps in a row, which no other point has.
        var done = 0
        let perPoint = try #require(points.first).x * 2 - 1
        for point in points {
            let steps = min(Int(perPoint), count - done)
            #expect(abs(point.x - (Double(done) + Double(steps + 1) / 2)) < 1e-6)
            #expect(abs(point.y - 3 * point.x) < 1e-6)
            done += steps
        }
        #expect(done == count)
    }
}
