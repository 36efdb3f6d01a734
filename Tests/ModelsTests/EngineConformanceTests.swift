import Compute
import Layers
import Models
import Randomness
import ReferenceEngine
import Support
import Testing

/// A whole classifier and a whole step of masked autoencoding, with all gradients: every engine of this machine, held to the
/// reference engine's plain loops in double.
@Suite struct EngineConformanceTests {
    /// Every parameter's gradient after one step, by name, and what the forward pass gave.
    private struct Step {
        let output: [Float]
        let loss: Double
        let gradients: [(name: String, values: [Float])]
    }

    private func store(_ shapes: [ParameterShape]) -> ParameterStore {
        let store = ParameterStore(shapes.map { ($0.name, $0.shape) })
        ParameterInitialization.fill(store, seed: 5)
        // Scales, weights and biases that are neither 0 nor 1.
        for (index, entry) in store.entries.enumerated() where entry.shape.count == 1 {
            var random = CounterRandom(seed: 6, purpose: .synthetic, index: index)
            store.parameter(at: index).value.assign((0..<entry.count).map { _ in Float(random.uniform(0.3, 0.9)) })
        }
        return store
    }

    private func images(_ configuration: any ModelConfiguration, count: Int) -> Tensor {
        let size = configuration.imageSize
        let tensor = Tensor(shape: [count, configuration.inputChannels, size.height, size.width])
        var random = CounterRandom(seed: 7, purpose: .synthetic)
        tensor.assign((0..<tensor.count).map { _ in Float(random.normal()) })
        return tensor
    }

    private func gradients(_ store: ParameterStore) throws -> [(name: String, values: [Float])] {
        try store.entries.enumerated().map { index, entry in
            (entry.name, try #require(store.parameter(at: index).gradient).values)
        }
    }

    private func configuration() -> ViTConfiguration {
        var configuration = ViTConfiguration()
        configuration.imageSize = Size(height: 16, width: 24)
        configuration.patchSize = Size(square: 4)
        (configuration.width, configuration.depth, configuration.heads, configuration.hiddenWidth) = (24, 3, 3, 40)
        configuration.classCount = 5
        return configuration
    }

    private var caiT: CaiTConfiguration {
        var configuration = CaiTConfiguration()
        (configuration.imageSize, configuration.patchSize) = (Size(height: 16, width: 24), Size(square: 4))
        (configuration.width, configuration.depth, configuration.classDepth, configuration.heads) = (24, 3, 2, 3)
        (configuration.hiddenWidth, configuration.classHiddenWidth, configuration.classCount) = (40, 32, 5)
        return configuration
    }

    private var sigLIP: ViTConfiguration {
        var configuration = configuration()
        (configuration.hasClassToken, configuration.pooling, configuration.activation) = (false, .attention, .geluTanh)
        return configuration
    }

    private func classifierStep(_ engine: any Engine, _ change: (inout ViTConfiguration) -> Void) throws -> Step {
        var configuration = configuration()
        change(&configuration)
        return try classifierStep(engine, configuration)
    }

    private func classifierStep(
        _ engine: any Engine, _ configuration: any ModelConfiguration, precision: Precision = .float32
    ) throws -> Step {
        let store = store(configuration.parameterShapes)
        let images = images(configuration, count: 3)
        let paths = DropPath(rate: 0.4, depth: 3, imageCount: 3)
        paths.draw(seed: 3, step: 1, first: 0)
        let model = try TrainableClassifier(configuration, store: store, precision: precision, engine: engine) { _ in 3
        }
        let targets = Tensor((0..<15).map { $0 % 7 == 0 ? 0.9 : 0.1 }, shape: [3, 5])
        let logits = model.forward(images, paths: paths).values
        let distillation = TrainableClassifier.Distillation(targets: targets, weight: 0.5)
        let loss = model.loss(targets, distillation: configuration.hasDistillationToken ? distillation : nil)
        model.backward(paths: paths)
        return Step(output: logits, loss: loss, gradients: try gradients(store))
    }

    private func autoencoderStep(_ engine: any Engine, precision: Precision = .float32) throws -> Step {
        var configuration = MAEConfiguration(encoder: configuration())
        (configuration.decoder.width, configuration.decoder.depth) = (16, 2)
        (configuration.decoder.heads, configuration.decoder.hiddenWidth) = (2, 32)
        let store = store(configuration.trainedShapes)
        let images = images(configuration.encoder, count: 2)
        let noise = MaskSampling.random.noise(
            imageCount: 2, grid: configuration.encoder.grid, keptCount: configuration.keptCount, seed: 1, epoch: 0)
        let mask = PatchMask(
            noise: noise, patchCount: configuration.encoder.patchCount, keptCount: configuration.keptCount)
        let model = try MaskedAutoencoder(
            configuration, from: store, positions: MAEPositions(configuration), precision: precision, engine: engine
        ) { _ in 2 }
        let prediction = model.forward(images, mask: mask).values
        let loss = model.loss(images, mask: mask)
        model.backward()
        return Step(output: prediction, loss: loss, gradients: try gradients(store))
    }

    /// Of bfloat16, whose numbers are off by up to 1/512 each, gradients are only near.
    @Test(arguments: ["classifier", "SigLIP", "CaiT", "autoencoder"]) func aStepInBFloat16(model: String) throws {
        func step(_ engine: any Engine, _ precision: Precision) throws -> Step {
            switch model {
            case "autoencoder": return try autoencoderStep(engine, precision: precision)
            case "SigLIP": return try classifierStep(engine, sigLIP, precision: precision)
            case "CaiT": return try classifierStep(engine, caiT, precision: precision)
            default: return try classifierStep(engine, configuration(), precision: precision)
            }
        }
        let exact = try step(ReferenceEngine(), .float32)
        let expected = try step(ReferenceEngine(), .bfloat16)
        for kind in Engines.all {
            let got = try step(kind.make(2), .bfloat16)
            #expect(got.output != exact.output)
            #expect(largestDifference(got.output, expected.output) < 0.02, "\(kind.name)")
            #expect(abs(got.loss - exact.loss) < 0.01 * max(1, abs(exact.loss)), "\(kind.name)")
            for (gradient, reference) in zip(got.gradients, exact.gradients) where !isInvisible(gradient.name) {
                let difference = relativeDifference(gradient.values, reference.values)
                #expect(difference < 0.05, "\(kind.name), \(gradient.name)")
            }
        }
    }

    private func check(_ step: (any Engine) throws -> Step) throws {
        let expected = try step(ReferenceEngine())
        for kind in Engines.all {
            let got = try step(kind.make(2))
            #expect(largestDifference(got.output, expected.output) < 2e-5, "\(kind.name)")
            #expect(abs(got.loss - expected.loss) < 1e-5 * max(1, abs(expected.loss)), "\(kind.name)")
            #expect(got.gradients.map(\.name) == expected.gradients.map(\.name))
            for (gradient, reference) in zip(got.gradients, expected.gradients) {
                if isInvisible(gradient.name) {
                    #expect(largestDifference(gradient.values, reference.values) < 1e-5, "\(gradient.name)")
                    continue
                }
                let difference = relativeDifference(gradient.values, reference.values)
                #expect(difference < 1e-4, "\(kind.name), \(gradient.name)")
                #expect(reference.values.contains { $0 != 0 }, "\(gradient.name) has no gradient")
            }
        }
    }

    /// In exact arithmetic the softmax does not see what all keys of a query share.
    private func isInvisible(_ name: String) -> Bool {
        name.hasSuffix("attn.k.bias") || name.hasSuffix("proj_l.bias")
    }

    @Test func aClassifier() throws { try check { try classifierStep($0) { _ in } } }

    @Test func aClassifierWithEveryPart() throws {
        try check {
            try classifierStep($0) { configuration in
                configuration.hasDistillationToken = true
                configuration.registerCount = 2
                configuration.hasLayerScale = true
                configuration.qkvBias = false
                configuration.activation = .geluTanh
            }
        }
    }

    @Test func aVisionTowerOfCLIP() throws {
        try check {
            try classifierStep($0) { configuration in
                (configuration.hasPreNorm, configuration.patchBias) = (true, false)
                (configuration.activation, configuration.layerNormEpsilon) = (.quickGELU, 1e-5)
            }
        }
    }

    @Test func aVisionTowerOfSigLIP() throws { try check { try classifierStep($0, sigLIP) } }

    @Test func aClassifierOfMeans() throws {
        try check {
            try classifierStep($0) { configuration in
                configuration.pooling = .meanPatches
                configuration.finalNorm = .afterPooling
            }
        }
    }

    @Test func aCaiT() throws {
        try check { try classifierStep($0, caiT) }
    }

    @Test func aStepOfMaskedAutoencoding() throws { try check { try autoencoderStep($0) } }
}
