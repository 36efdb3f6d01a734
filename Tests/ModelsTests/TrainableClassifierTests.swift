import Compute
import Foundation
import Layers
import Models
import Testing

/// A classifier of the fixtures, ready to train.
private struct GoldenClassifier {
    let goldens: Goldens
    let configuration: ViTConfiguration
    let store: ParameterStore
    let engine: any Engine
    let images: Tensor

    init(_ name: String, threads: Int = 2) throws {
        goldens = try Goldens("classifier-\(name)")
        var configuration = VisionTransformerTests.configuration(name)
        configuration.depth = goldens.names(under: "weights/blocks.").filter { $0.hasSuffix("norm1.bias") }.count
        configuration.hiddenWidth = try goldens["weights/blocks.0.mlp.fc1.bias"].count
        self.configuration = configuration
        engine = Engines.make(threads: threads)
        store = ParameterStore(configuration.parameterShapes.map { ($0.name, $0.shape) })
        for (index, entry) in store.entries.enumerated() {
            store.parameter(at: index).value.assign(try goldens["weights/\(entry.name)"].values)
        }
        images = try goldens["pixels"]
    }

    func model(keptCount: Int? = nil, frozenCount: Int = 0) throws -> TrainableClassifier {
        try TrainableClassifier(
            configuration, store: store, keptCount: keptCount, frozenCount: frozenCount, engine: engine
        ) { _ in images.shape[0] }
    }

    /// The labels as distributions, `smoothing` of each spread over all classes.
    func targets(smoothing: Float = 0) throws -> Tensor {
        let classCount = configuration.classCount
        let rest = smoothing / Float(classCount)
        let values = try goldens["labels"].values.flatMap { label in
            (0..<classCount).map { $0 == Int(label) ? 1 - smoothing + rest : rest }
        }
        return Tensor(values, shape: [images.shape[0], classCount])
    }

    /// Compares the gradients of all parameters but those that `isLeftOut` names.
    func checkGradients(except isLeftOut: (String) -> Bool = { _ in false }) throws {
        for (index, entry) in store.entries.enumerated() where !isLeftOut(entry.name) {
            var gradient = try #require(store.parameter(at: index).gradient).values
            var wanted = try goldens["gradients/\(entry.name)"].values
            if entry.name.hasSuffix("qkv.bias") || entry.name.hasSuffix("kv.bias") {
                // The keys' bias has no gradient in exact arithmetic.
                let width = configuration.width
                let keys = gradient.count - 2 * width..<gradient.count - width
                gradient.removeSubrange(keys)
                wanted.removeSubrange(keys)
            }
            #expect(relativeDifference(gradient, wanted) < 1e-5, "\(entry.name)")
        }
    }

    func paths() throws -> DropPath {
        let scales = try goldens["paths"]
        let paths = DropPath(rate: 0.5, depth: configuration.depth, imageCount: images.shape[0])
        for (block, place) in paths.scales.enumerated() {
            for branch in place.indices {
                let rows = scales.rows(block..<block + 1).reshaped([2, images.shape[0]])
                place[branch].assign(rows.rows(branch..<branch + 1).values)
            }
        }
        return paths
    }
}

@Suite struct TrainableClassifierTests {
    /// Loss and every gradient of timm's models: class token, means before and after the norm and without one, registers, layer scale; a norm
    /// before the first block with the quick GELU, and attention pooling.
    @Test(arguments: [
        "token", "mean", "mean-norm-before", "mean-no-norm", "grey-no-bias-tanh", "registers", "clip", "siglip",
        "map-registers",
    ])
    func gradientsAgreeWithTimm(name: String) throws {
        let golden = try GoldenClassifier(name)
        let model = try golden.model()
        let logits = model.forward(golden.images)
        #expect(largestDifference(logits.values, try golden.goldens["logits"].values) < 1e-5)
        let expected = Double(try golden.goldens["loss"].values[0])
        #expect(abs(model.loss(try golden.targets()) - expected) < 1e-6 * expected)
        golden.engine.zero(golden.store.gradients)
        model.backward()
        try golden.checkGradients()
    }

    /// With dropped paths, soft targets and weighted classes; deep with layer scale and registers, or with means.
    @Test(arguments: ["drop-path", "drop-path-mean"])
    func droppedPathsAgreeWithTimm(name: String) throws {
        let golden = try GoldenClassifier(name)
        let (model, paths) = (try golden.model(), try golden.paths())
        let logits = model.forward(golden.images, paths: paths)
        #expect(largestDifference(logits.values, try golden.goldens["logits"].values) < 1e-5)
        let classWeights = try golden.goldens["class-weights"].values
        let targets = try golden.goldens["targets"]
        targets.assign(targets.values.enumerated().map { $1 * classWeights[$0 % classWeights.count] })
        let expected = Double(try golden.goldens["loss"].values[0])
        #expect(abs(model.loss(targets) - expected) < 1e-6 * expected)
        golden.engine.zero(golden.store.gradients)
        model.backward(paths: paths)
        try golden.checkGradients()
    }

    @Test func hardDistillationAgreesWithTimm() throws {
        let golden = try GoldenClassifier("distillation-hard")
        let teacher = try golden.goldens["teacher"]
        let targets = Tensor(shape: teacher.shape)
        for image in 0..<teacher.shape[0] {
            let row = teacher.rows(image..<image + 1).values
            let best = try #require(row.max())
            targets.rows(image..<image + 1).assign(row.map { $0 == best ? 1 : 0 })
        }
        try checkDistillation(golden, .init(targets: targets, weight: 0.5), entropy: 0)
    }

    @Test func softDistillationAgreesWithTimm() throws {
        let golden = try GoldenClassifier("distillation-soft")
        let teacher = try golden.goldens["teacher"]
        let targets = Tensor(shape: teacher.shape)
        var entropy = 0.0
        for image in 0..<teacher.shape[0] {
            let powers = teacher.rows(image..<image + 1).values.map { exp(Double($0) / 3) }
            let sum = powers.reduce(0, +)
            targets.rows(image..<image + 1).assign(powers.map { Float($0 / sum) })
            entropy -= powers.reduce(0) { $0 + $1 / sum * log($1 / sum) } / Double(teacher.shape[0])
        }
        // PyTorch's divergence is the cross-entropy less what the teacher's own entropy adds.
        try checkDistillation(golden, .init(targets: targets, weight: 0.3, temperature: 3), entropy: 0.3 * 9 * entropy)
    }

    private func checkDistillation(
        _ golden: GoldenClassifier, _ distillation: TrainableClassifier.Distillation, entropy: Double
    ) throws {
        let model = try golden.model()
        let logits = model.forward(golden.images)
        #expect(largestDifference(logits.values, try golden.goldens["logits"].values) < 1e-5)
        let distilled = try #require(model.distillationLogits)
        #expect(largestDifference(distilled.values, try golden.goldens["distillation-logits"].values) < 1e-5)
        let loss = model.loss(try golden.targets(smoothing: 0.1), distillation: distillation)
        let expected = Double(try golden.goldens["loss"].values[0]) + entropy
        #expect(abs(loss - expected) < 1e-6 * expected)
        golden.engine.zero(golden.store.gradients)
        model.backward()
        try golden.checkGradients()
    }

    /// What is not frozen has the gradients that it has otherwise, and what is frozen has none.
    @Test(arguments: [1, 2, 3])
    func frozenLayersHaveNoGradient(frozenCount: Int) throws {
        let golden = try GoldenClassifier("drop-path")
        let (model, paths) = (try golden.model(frozenCount: frozenCount), try golden.paths())
        let ones = [Float](repeating: 1, count: golden.images.shape[0])
        for (block, scales) in paths.scales.enumerated() where block < frozenCount {
            for scale in scales { scale.assign(ones) }
        }
        let whole = try golden.model()
        let targets = try golden.goldens["targets"]
        golden.engine.zero(golden.store.gradients)
        let logits = whole.forward(golden.images, paths: paths).values
        _ = whole.loss(targets)
        whole.backward(paths: paths)
        let wanted = golden.store.entries.indices.compactMap { golden.store.parameter(at: $0).gradient?.values }
        golden.engine.zero(golden.store.gradients)
        #expect(largestDifference(model.forward(golden.images, paths: paths).values, logits) < 1e-5)
        _ = model.loss(targets)
        model.backward(paths: paths)
        for (index, entry) in golden.store.entries.enumerated() {
            let gradient = try #require(golden.store.parameter(at: index).gradient).values
            if TrainableClassifier.isFrozen(entry.name, of: golden.configuration, frozenCount: frozenCount) {
                #expect(gradient.allSatisfy { $0 == 0 }, "\(entry.name)")
            } else if !entry.name.hasSuffix("qkv.bias") {
                #expect(relativeDifference(gradient, wanted[index]) < 1e-4, "\(entry.name)")
            }
        }
        #expect(TrainableClassifier.isFrozen("pos_embed", of: golden.configuration, frozenCount: frozenCount))
        #expect(!TrainableClassifier.isFrozen("head.weight", of: golden.configuration, frozenCount: frozenCount))
    }

    /// A model that sees some patches alone gets the logits of one that has no others.
    @Test func droppedPatchesAreNotSeen() throws {
        let golden = try GoldenClassifier("token")
        let model = try TrainableClassifier(
            golden.configuration, store: golden.store, keptCount: 2, engine: golden.engine
        ) { _ in 1 }
        let mask = PatchMask(noise: [0.5, 0.1, 0.9, 0.2, 0.8, 0.7], patchCount: 6, keptCount: 2)
        let image = golden.images.rows(0..<1)
        let before = model.forward(image, mask: mask).values
        var pixels = image.values
        // Patches 1 and 3 stay; the first pixel belongs to patch 0.
        pixels[0] += 10
        #expect(model.forward(Tensor(pixels, shape: image.shape), mask: mask).values == before)
        pixels[4] += 10
        #expect(model.forward(Tensor(pixels, shape: image.shape), mask: mask).values != before)
    }

    /// A mask that keeps all patches in another order changes neither logits nor gradients.
    @Test func theOrderOfPatchesDoesNotMatter() throws {
        let golden = try GoldenClassifier("registers")
        let model = try golden.model(keptCount: 5)
        let count = golden.images.shape[0]
        let masks = [[0, 1, 2, 3, 4, 5], [4, 3, 2, 1, 0, 5]].map { order in
            PatchMask(
                noise: Array(repeating: order.map { Float($0) }, count: count).flatMap { $0 }, patchCount: 6,
                keptCount: 5)
        }
        let results = try masks.map { mask in
            let logits = model.forward(golden.images, mask: mask).values
            _ = model.loss(try golden.targets())
            golden.engine.zero(golden.store.gradients)
            model.backward()
            return (logits, try #require(golden.store.parameter("pos_embed").gradient).values)
        }
        #expect(largestDifference(results[0].0, results[1].0) < 1e-5)
        #expect(relativeDifference(results[0].1, results[1].1) < 1e-4)
        // The patch that is never seen has no gradient.
        #expect(results[0].1.suffix(12).allSatisfy { $0 == 0 } && results[0].1.contains { $0 != 0 })
    }

    @Test func theNumberOfThreadsChangesNoBit() throws {
        func gradients(threads: Int) throws -> [Float] {
            let golden = try GoldenClassifier("drop-path", threads: threads)
            let (model, paths) = (try golden.model(), try golden.paths())
            _ = model.forward(golden.images, paths: paths)
            _ = model.loss(try golden.goldens["targets"])
            model.backward(paths: paths)
            return golden.store.gradients.values
        }
        #expect(try gradients(threads: 1) == gradients(threads: 3))
    }

    @Test func pathsAreDroppedAsOftenAsAskedFor() {
        let paths = DropPath(rate: 0.4, depth: 3, imageCount: 2000)
        #expect(paths.rates == [0, 0.2, 0.4])
        paths.draw(seed: 1, step: 7, first: 0)
        for (rate, scales) in zip(paths.rates, paths.scales) {
            for scale in scales {
                let dropped = scale.values.filter { $0 == 0 }.count
                #expect(abs(Double(dropped) / 2000 - rate) < 0.04)
                #expect(scale.values.allSatisfy { $0 == 0 || $0 == Float(1 / (1 - rate)) })
            }
        }
        #expect(paths.scales[2][0].values != paths.scales[2][1].values)
        // An image's draw depends on its place in the step alone.
        let part = DropPath(rate: 0.4, depth: 3, imageCount: 500)
        part.draw(seed: 1, step: 7, first: 1500)
        #expect(part.scales[2][1].values == Array(paths.scales[2][1].values.suffix(500)))
        part.draw(seed: 1, step: 8, first: 1500)
        #expect(part.scales[2][1].values != Array(paths.scales[2][1].values.suffix(500)))
    }
}
