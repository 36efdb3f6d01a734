import Compute
import Foundation
import Models
import Randomness
import Testing

import Training

/// Batches are mixed as timm mixes them; tools/fixtures_mixing.py wrote its results.
@Suite struct MixingTests {
    private let archive: TensorArchive

    init() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        archive = try TensorArchive.open(tests.appending(path: "Fixtures/numerics/mixing.safetensors").path)
    }

    private let mixups = [0.5, 0.37, 0.93]
    private let cutmixes = [(0.4, 4, 7), (0.75, 0, 13), (0.1, 8, 2), (0.999, 3, 3)]

    private var draws: [(name: String, draw: Mixing.Draw)] {
        mixups.enumerated().map { ("mixup-\($0)", .mixup($1)) }
            + cutmixes.enumerated().map { index, box in
                ("cutmix-\(index)", .init(cutting: box.0, row: box.1, column: box.2, height: 9, width: 14))
            }
    }

    @Test func batchesAndTargetsAreThoseOfTimm() throws {
        let engine = Engines.make(threads: 2)
        let labels = try archive.tensor("labels").values.map { Int($0) }
        for (name, draw) in draws {
            let images = Tensor(try archive.tensor("pixels").values, shape: [4, 3, 9, 14])
            let targets = Tensor(shape: [4, 5])
            Mixing().mix(images, draw, engine: engine)
            Mixing().write(labels, lambda: draw.lambda(height: 9, width: 14), to: targets)
            #expect(try images.values == archive.tensor("\(name)/pixels").values, "\(name)")
            #expect(try largestDifference(targets.values, archive.tensor("\(name)/targets").values) < 1e-7, "\(name)")
        }
    }

    @Test func largeBatchesMixTheSameOnAnyNumberOfThreads() {
        var results: [[Float]] = []
        for threadCount in [1, 3] {
            let engine = Engines.make(threads: threadCount)
            let images = Tensor((0..<5 * 3 * 120 * 110).map { Float($0 % 1013) }, shape: [5, 3, 120, 110])
            let targets = Tensor(shape: [5, 7])
            for index in 0..<6 {
                var random = CounterRandom(seed: 0, purpose: .mixing, index: index)
                Mixing().apply(to: images, labels: [0, 1, 2, 3, 4], targets: targets, engine: engine, using: &random)
            }
            results.append(images.values + targets.values)
        }
        #expect(results[0] == results[1])
    }

    @Test func theImageInTheMiddleStays() {
        let engine = Engines.make(threads: 1)
        for draw in [Mixing.Draw.mixup(0.3), .cutmix(rows: 0..<2, columns: 0..<2)] {
            let images = Tensor([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], shape: [3, 1, 2, 2])
            Mixing().mix(images, draw, engine: engine)
            #expect(Array(images.values[4..<8]) == [5, 6, 7, 8])
            #expect(images.values[0] != 1 && images.values[8] != 9)
        }
    }

    @Test func halfOfTheBatchesAreCutAndAllAreMixed() {
        var (cut, sum) = (0, 0.0)
        for index in 0..<2000 {
            var random = CounterRandom(seed: 0, purpose: .mixing, index: index)
            let draw = Mixing().draw(height: 32, width: 32, using: &random)
            #expect(draw != .nothing)
            if case .cutmix = draw { cut += 1 } else { sum += draw.lambda(height: 32, width: 32) }
        }
        #expect((920...1080).contains(cut), "\(cut)")
        #expect(abs(sum / Double(2000 - cut) - 0.5) < 0.04)
    }

    @Test func mixingCanBeSwitchedOff() {
        var random = CounterRandom(seed: 0, purpose: .mixing)
        var mixing = Mixing()
        (mixing.mixupAlpha, mixing.cutmixAlpha) = (0, 0)
        #expect(mixing.draw(height: 4, width: 4, using: &random) == .nothing)
        mixing.cutmixAlpha = 1
        for _ in 0..<20 {
            guard case .cutmix = mixing.draw(height: 4, width: 4, using: &random) else {
                Issue.record("expected cutmix alone")
                return
            }
        }
        mixing.probability = 0
        #expect(mixing.draw(height: 4, width: 4, using: &random) == .nothing)
    }
}
