import Compute
import Foundation
import Models
import Randomness
import Testing

import Training

/// LARS and linear heads take the steps of PyTorch; tools/fixtures_probe.py wrote them.
@Suite struct LinearProbeTests {
    private let goldens: TensorArchive
    private let engine = Engines.make(threads: 2)
    private let rates = [0.5, 1.5, 0.7, 0.2, 0.1]

    init() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        goldens = try TensorArchive.open(tests.appending(path: "Fixtures/numerics/probe.safetensors").path)
    }

    @Test(arguments: [("lars", 0), ("lars-decay", 0.1)])
    func stepsOfLARSAreThoseOfPyTorch(name: String, decay: Double) throws {
        var optimizer = LARS()
        optimizer.weightDecay = decay
        for (key, isVector) in [("matrix", false), ("vector", true)] {
            let start = try goldens.tensor("\(name)/\(key)/weights")
            let weights = Tensor(start.values, shape: start.shape)
            let velocity = Tensor(shape: start.shape)
            for (index, rate) in rates.enumerated() {
                let gradient = try goldens.tensor("\(name)/\(key)/gradient-\(index + 1)").values
                optimizer.update(
                    weights, gradient: Tensor(gradient, shape: start.shape), velocity: velocity, learningRate: rate,
                    isVector: isVector, engine: engine)
                let expected = try goldens.tensor("\(name)/\(key)/after-\(index + 1)").values
                let size = expected.map(abs).max() ?? 1
                #expect(largestDifference(weights.values, expected) < 2e-6 * size, "\(key) after \(index + 1)")
            }
        }
    }

    @Test(arguments: ["sgd", "lars"]) func trainedHeadsAreThoseOfPyTorch(_ name: String) throws {
        var optimizer = LARS()
        if name == "sgd" { optimizer.trust = nil }
        let labels = try goldens.tensor("linear/labels").values.map { Int($0) }
        let features = LabeledFeatures(values: try goldens.tensor("linear/features"), labels: labels)
        // Between two others, which must not disturb it.
        let heads = LinearHeads(
            headCount: 3, classCount: 4, width: 6, batchSize: 8, optimizer: optimizer, seed: 1, engine: engine)
        let (weight, bias) = (heads.weights.rows(4..<8), heads.bias.rows(4..<8))
        weight.assign(try goldens.tensor("linear/weight").values)
        bias.assign(try goldens.tensor("linear/bias").values)
        for step in 0..<3 {
            heads.step(
                features, indices: (0..<8).map { Int32(step * 8 + $0) }, rates: [1e-3, rates[step], 40])
        }
        func difference(_ values: [Float], _ key: String) throws -> Float {
            largestDifference(values, try goldens.tensor("linear/\(name)/\(key)").values)
        }
        #expect(try difference(weight.values, "weight") < 1e-5)
        #expect(try difference(bias.values, "bias") < 1e-5)
        #expect(try difference(heads.norm.mean.map(Float.init), "mean") < 1e-5)
        #expect(try difference(heads.norm.variance.map(Float.init), "variance") < 1e-5)
        let others = LabeledFeatures(values: try goldens.tensor("linear/others"), labels: [0, 0, 0, 0, 0])
        #expect(try difference([Float(heads.scores(others)[1].loss)], "loss") < 1e-5)
    }

    /// Pictures of three classes whose features lie about three centres.
    private func clusters(_ count: Int, seed: UInt64) -> LabeledFeatures {
        var random = CounterRandom(seed: seed, purpose: .synthetic)
        let labels = (0..<count).map { $0 % 3 }
        var values: [Float] = []
        for label in labels {
            for column in 1...5 {
                let centre: Double = column % 3 == label ? 107 : 100
                values.append(Float(centre + 2 * random.normal()))
            }
        }
        return LabeledFeatures(values: Tensor(values, shape: [count, 5]), labels: labels)
    }

    @Test(arguments: LinearProbe.Optimizer.allCases) func clustersAreTold(_ optimizer: LinearProbe.Optimizer) {
        var probe = LinearProbe()
        (probe.optimizer, probe.epochs, probe.warmupEpochs, probe.batchSize) = (optimizer, 30, 3, 32)
        let (training, others) = (clusters(300, seed: 1), clusters(120, seed: 2))
        var steps: [Int] = []
        let outcomes = probe.run(training: training, others: [others, training], classCount: 3) { done, total in
            steps.append(done)
            #expect(total == 270)
        }
        #expect(steps == Array(1...270))
        #expect(outcomes.map(\.baseRate) == optimizer.baseRates)
        #expect(outcomes.allSatisfy { $0.rate == $0.baseRate * 32 / 256 && $0.scores.count == 2 })
        #expect((outcomes.map { $0.scores[0].top1 }.max() ?? 0) > 0.97)
    }

    @Test func threadsDoNotMatter() {
        func outcomes(threads: Int) -> [Double] {
            var probe = LinearProbe()
            (probe.epochs, probe.threads, probe.batchSize) = (11, threads, 64)
            return probe.run(training: clusters(300, seed: 1), others: [clusters(90, seed: 3)], classCount: 3)
                .map { $0.scores[0].loss }
        }
        #expect(outcomes(threads: 1) == outcomes(threads: 3))
    }

    @Test func aRateThatIsTooLargeIsSaidToDiverge() {
        var probe = LinearProbe()
        (probe.epochs, probe.warmupEpochs, probe.baseRates) = (20, 0, [0.1, 1e38])
        let outcomes = probe.run(training: clusters(40, seed: 1), others: [clusters(30, seed: 2)], classCount: 3)
        #expect(outcomes[0].hasConverged && !outcomes[1].hasConverged)
    }

    @Test func fewerPicturesThanAStepAreOneStep() {
        var probe = LinearProbe()
        (probe.epochs, probe.warmupEpochs) = (5, 0)
        var total = 0
        _ = probe.run(training: clusters(9, seed: 1), others: [clusters(9, seed: 2)], classCount: 3) { total = $1 }
        #expect(total == 5)
    }
}
