import Compute
import Layers
import Models
import Support
import Testing

/// CaiT beside timm: logits, loss and every gradient.
@Suite struct CaiTTests {
    private let goldens: Goldens
    private let configuration: CaiTConfiguration
    private let store: ParameterStore
    private let engine = Engines.make(threads: 2)

    private static func configuration(_ name: String) -> CaiTConfiguration {
        var configuration = CaiTConfiguration()
        configuration.imageSize = Size(height: 8, width: 12)
        configuration.patchSize = Size(square: 4)
        (configuration.width, configuration.heads, configuration.classCount) = (12, 3, 5)
        (configuration.depth, configuration.classDepth) = name == "cait" ? (2, 2) : (1, 1)
        (configuration.hiddenWidth, configuration.classHiddenWidth) = (48, name == "cait" ? 48 : 24)
        configuration.poolsPatches = name == "cait-mean"
        return configuration
    }

    private init(_ name: String) throws {
        goldens = try Goldens("classifier-\(name)")
        configuration = Self.configuration(name)
        store = ParameterStore(configuration.parameterShapes.map { ($0.name, $0.shape) })
        for (index, entry) in store.entries.enumerated() {
            store.parameter(at: index).value.assign(try goldens["weights/\(entry.name)"].values)
        }
    }

    init() throws { try self.init("cait") }

    private func step(keptCount: Int? = nil, frozenCount: Int = 0, mask: PatchMask? = nil) throws -> (
        logits: [Float], loss: Double, gradients: [[Float]]
    ) {
        let images = try goldens["pixels"]
        let model = try TrainableClassifier(
            configuration, store: store, keptCount: keptCount, frozenCount: frozenCount, engine: engine
        ) { _ in images.shape[0] }
        let labels = try goldens["labels"].values
        let targets = Tensor(
            labels.flatMap { label in (0..<5).map { Float($0) == label ? 1 : 0 } }, shape: [labels.count, 5])
        engine.zero(store.gradients)
        let logits = model.forward(images, mask: mask).values
        let loss = model.loss(targets)
        model.backward()
        let gradients = try store.entries.indices.map { try #require(store.parameter(at: $0).gradient).values }
        return (logits, loss, gradients)
    }

    @Test(arguments: ["cait", "cait-mean"]) func gradientsAgreeWithTimm(name: String) throws {
        let golden = try CaiTTests(name)
        let got = try golden.step()
        #expect(largestDifference(got.logits, try golden.goldens["logits"].values) < 1e-5)
        let expected = Double(try golden.goldens["loss"].values[0])
        #expect(abs(got.loss - expected) < 1e-6 * expected)
        for (entry, gradient) in zip(golden.store.entries, got.gradients) {
            let wanted = try golden.goldens["gradients/\(entry.name)"].values
            // In exact arithmetic the softmax does not see what all keys of a query share.
            let isInvisible = entry.name.hasSuffix("attn.k.bias") || entry.name.hasSuffix("proj_l.bias")
            if isInvisible {
                #expect(largestDifference(gradient, wanted) < 1e-6, "\(entry.name)")
            } else {
                #expect(relativeDifference(gradient, wanted) < 2e-5, "\(entry.name)")
            }
        }
    }

    @Test(arguments: [1, 2]) func frozenBlocksHaveNoGradient(frozenCount: Int) throws {
        let (whole, frozen) = (try step(), try step(frozenCount: frozenCount))
        #expect(largestDifference(whole.logits, frozen.logits) < 1e-5)
        for (index, entry) in store.entries.enumerated() {
            if TrainableClassifier.isFrozen(entry.name, of: configuration, frozenCount: frozenCount) {
                #expect(frozen.gradients[index].allSatisfy { $0 == 0 }, "\(entry.name)")
            } else if !entry.name.hasSuffix(".bias") {
                #expect(relativeDifference(frozen.gradients[index], whole.gradients[index]) < 1e-4, "\(entry.name)")
            }
        }
        #expect(!TrainableClassifier.isFrozen("blocks_token_only.0.gamma_1", of: configuration, frozenCount: 2))
    }

    /// All patches in another order give the same; some of them give something else.
    @Test func patchesCanBeLeftOut() throws {
        let noise: [Float] = [0.5, 0.1, 0.9, 0.2, 0.8, 0.7]
        func mask(_ count: Int) -> PatchMask {
            PatchMask(noise: noise + noise + noise, patchCount: 6, keptCount: count)
        }
        let whole = try step()
        let some = try step(keptCount: 5, mask: mask(5))
        #expect(some.logits.count == whole.logits.count && largestDifference(some.logits, whole.logits) > 1e-3)
        #expect(some.gradients.allSatisfy { $0.allSatisfy(\.isFinite) })
    }

    /// Inner layers are the patches; the class token joins them after all blocks.
    @Test func featuresOfInnerLayersArePatches() throws {
        let images = try goldens["pixels"]
        let inner = try FeatureExtractor(
            configuration, pooling: .patches, layer: 1, from: goldens, engine: engine, batchSize: 3)
        let tokens = Tensor(shape: [3, 6, 12])
        inner.features(images, into: tokens)
        let mean = Tensor(shape: [3, 12])
        try FeatureExtractor(
            configuration, pooling: .meanPatches, layer: 1, from: goldens, engine: engine, batchSize: 2
        ).features(images.rows(1..<3), into: mean.rows(0..<2))
        for image in 0..<2 {
            let rows = tokens.rows(image + 1..<image + 2).values
            let expected = (0..<12).map { column in (0..<6).reduce(0) { $0 + rows[$1 * 12 + column] } / 6 }
            #expect(largestDifference(mean.rows(image..<image + 1).values, expected) < 1e-5)
        }
        #expect(configuration.hasClassToken(afterBlocks: nil) && !configuration.hasClassToken(afterBlocks: 1))
    }
}
