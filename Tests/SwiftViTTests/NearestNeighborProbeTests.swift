import Compute
import Foundation
import Models
import SwiftViT
import Testing

/// Neighbours vote as in DINO's evaluation; tools/fixtures_probe.py wrote its results.
@Suite struct NearestNeighborProbeTests {
    private let goldens: TensorArchive

    init() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        goldens = try TensorArchive.open(tests.appending(path: "Fixtures/numerics/probe.safetensors").path)
    }

    private func features(_ values: String, _ labels: String) throws -> LabeledFeatures {
        LabeledFeatures(
            values: try goldens.tensor("neighbors/\(values)"),
            labels: try goldens.tensor("neighbors/\(labels)").values.map { Int($0) })
    }

    @Test func accuraciesAreThoseOfTheReference() throws {
        var probe = NearestNeighborProbe()
        probe.neighborCounts = [1, 5, 20]
        let outcomes = probe.run(
            training: try features("training", "known"), evaluation: try features("evaluation", "asked"), classCount: 7)
        #expect(outcomes.map(\.neighborCount) == [1, 5, 20])
        for outcome in outcomes {
            for (name, value) in [("top1", outcome.top1), ("top5", outcome.top5)] {
                let expected = try goldens.tensor("neighbors/\(name)-\(outcome.neighborCount)").values[0]
                #expect(Float(value) == expected, "\(name) of \(outcome.neighborCount)")
            }
        }
        #expect(outcomes[0].top1 == outcomes[0].top5 && outcomes[2].top5 > outcomes[2].top1)
    }

    @Test func manyImagesOnAnyNumberOfThreads() throws {
        // More than a block, and not a multiple of anything.
        let count = 1033
        let values = (0..<count * 3).map { Float(($0 * 7919) % 10_007) - 5000 }
        let table = LabeledFeatures(values: Tensor(values, shape: [count, 3]), labels: (0..<count).map { $0 % 11 })
        var results: [[NearestNeighborProbe.Outcome]] = []
        for threads in [1, 3] {
            var probe = NearestNeighborProbe()
            (probe.threads, probe.neighborCounts) = (threads, [1, 10, 5000])
            var done: [Int] = []
            results.append(
                probe.run(training: table, evaluation: table, classCount: 11, progress: { done.append($0) }))
            #expect(done == [512, 1024, 1033])
        }
        #expect(results[0] == results[1])
        // Everybody's nearest neighbour is itself.
        #expect(results[0][0].top1 == 1)
    }
}
