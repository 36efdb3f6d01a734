import Compute
import Layers
import Models
import Testing

@Suite struct VisionTransformerTests {
    private static func configuration(_ name: String) -> ViTConfiguration {
        var configuration = ViTConfiguration()
        configuration.imageSize = Extent(height: 8, width: 12)
        configuration.patchSize = Extent(square: 4)
        configuration.width = 12
        configuration.depth = 1
        configuration.heads = 3
        configuration.hiddenWidth = 48
        configuration.classCount = 5
        switch name {
        case "distilled":
            configuration.hasDistillationToken = true
        case "grey-no-bias-tanh":
            configuration.inputChannels = 1
            configuration.qkvBias = false
            configuration.activation = .geluTanh
        case "mean":
            configuration.pooling = .meanPatches
            configuration.finalNorm = .afterPooling
        case "mean-norm-before":
            configuration.pooling = .meanPatches
        case "registers":
            configuration.registerCount = 2
            configuration.prefixHasPosition = false
            configuration.hasLayerScale = true
        default:
            break
        }
        return configuration
    }

    @Test(arguments: ["token", "distilled", "grey-no-bias-tanh", "mean", "mean-norm-before", "registers"])
    func logitsAgreeWithTimm(name: String) throws {
        let goldens = try Goldens("classifier-\(name)")
        var configuration = Self.configuration(name)
        configuration.depth = goldens.names(under: "weights/blocks.").filter { $0.hasSuffix("norm1.bias") }.count
        configuration.hiddenWidth = try goldens["weights/blocks.0.mlp.fc1.bias"].count
        let pixels = try goldens["pixels"]
        let wanted = try goldens["logits"].values
        for batchSize in [1, 2, 3] {
            let model = try VisionTransformer(
                configuration, from: goldens, engine: OneDNNEngine(threadCount: 2), batchSize: batchSize)
            #expect(largestDifference(model.logits(pixels).values, wanted) < 1e-5)
        }
    }

    /// Loss and every gradient of timm's models, with the class token, and with the mean before and after the norm.
    @Test(arguments: ["token", "mean", "mean-norm-before", "grey-no-bias-tanh"])
    func gradientsAgreeWithTimm(name: String) throws {
        let goldens = try Goldens("classifier-\(name)")
        var configuration = Self.configuration(name)
        configuration.depth = goldens.names(under: "weights/blocks.").filter { $0.hasSuffix("norm1.bias") }.count
        configuration.hiddenWidth = try goldens["weights/blocks.0.mlp.fc1.bias"].count
        let store = ParameterStore(configuration.parameterShapes.map { ($0.name, $0.shape) })
        for (index, entry) in store.entries.enumerated() {
            store.parameter(at: index).value.assign(try goldens["weights/\(entry.name)"].values)
        }
        let pixels = try goldens["pixels"]
        let count = pixels.shape[0]
        let engine = OneDNNEngine(threadCount: 2)
        let model = try TrainableClassifier(configuration, store: store, batchSize: count, engine: engine)
        let mask = PatchMask.keepingAll(patchCount: configuration.patchCount, imageCount: count)
        #expect(largestDifference(model.forward(pixels, mask: mask).values, try goldens["logits"].values) < 1e-5)

        let targets = Tensor(shape: [count, configuration.classCount])
        targets.assign(
            try goldens["labels"].values.flatMap { label in
                (0..<configuration.classCount).map { $0 == Int(label) ? 1 : 0 }
            })
        let expected = Double(try goldens["loss"].values[0])
        #expect(abs(model.loss(targets) - expected) < 1e-6 * expected)
        engine.clear(store.gradients)
        model.backward(mask: mask)
        for (index, entry) in store.entries.enumerated() {
            var gradient = try #require(store.parameter(at: index).gradient).values
            var wanted = try goldens["gradients/\(entry.name)"].values
            if entry.name.hasSuffix("qkv.bias") {
                let keys = gradient.count / 3..<gradient.count / 3 * 2
                gradient.removeSubrange(keys)
                wanted.removeSubrange(keys)
            }
            #expect(relativeDifference(gradient, wanted) < 1e-5, "\(entry.name)")
        }
    }

    /// A model that sees some patches alone gets the logits of one that has no others.
    @Test func droppedPatchesAreNotSeen() throws {
        let goldens = try Goldens("classifier-token")
        var configuration = Self.configuration("token")
        configuration.depth = goldens.names(under: "weights/blocks.").filter { $0.hasSuffix("norm1.bias") }.count
        configuration.hiddenWidth = try goldens["weights/blocks.0.mlp.fc1.bias"].count
        let store = ParameterStore(configuration.parameterShapes.map { ($0.name, $0.shape) })
        for (index, entry) in store.entries.enumerated() {
            store.parameter(at: index).value.assign(try goldens["weights/\(entry.name)"].values)
        }
        let model = try TrainableClassifier(
            configuration, store: store, batchSize: 1, keptCount: 2, engine: OneDNNEngine(threadCount: 1))
        let mask = PatchMask(noise: [0.5, 0.1, 0.9, 0.2, 0.8, 0.7], patchCount: 6, keptCount: 2)
        let image = try goldens["pixels"].rows(0..<1)
        let before = model.forward(image, mask: mask).values
        var pixels = image.values
        // Patches 1 and 3 stay; the first pixel belongs to patch 0.
        pixels[0] += 10
        #expect(model.forward(Tensor(pixels, shape: image.shape), mask: mask).values == before)
        pixels[4] += 10
        #expect(model.forward(Tensor(pixels, shape: image.shape), mask: mask).values != before)
    }
}
