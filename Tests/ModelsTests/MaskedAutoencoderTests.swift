import Compute
import Layers
import Models
import Support
import Testing

/// A model of the fixtures, ready to train.
struct GoldenAutoencoder {
    let goldens: Goldens
    let model: MaskedAutoencoder
    let store: ParameterStore
    let engine: any Engine
    let images: Tensor
    let mask: PatchMask

    init(_ name: String, target: MAEConfiguration.Target, threads: Int = 2) throws {
        goldens = try Goldens(name)
        let configuration = Self.configuration(name, target: target)
        engine = Engines.make(threads: threads)
        store = ParameterStore(
            configuration.parameterShapes.filter { !MAEConfiguration.fixedTables.contains($0.name) }
                .map { ($0.name, $0.shape) })
        for (index, entry) in store.entries.enumerated() {
            store.parameter(at: index).value.assign(try goldens["weights/\(entry.name)"].values)
        }
        images = try goldens["pixels"]
        let positions = MAEPositions(
            encoder: try goldens["weights/pos_embed"], decoder: try goldens["weights/decoder_pos_embed"],
            configuration: configuration)
        model = try MaskedAutoencoder(
            configuration, from: store, positions: positions, engine: engine
        ) { [images] _ in images.shape[0] }
        mask = PatchMask(
            noise: try goldens["noise"].values, patchCount: configuration.encoder.patchCount,
            keptCount: configuration.keptCount)
    }

    /// The rows of the removed patches of (B, L, W), by rank.
    func removed(_ patches: Tensor) -> [Float] {
        let (rowCount, values) = (mask.patchCount, patches.values)
        let width = patches.count / mask.restore.count
        return (0..<mask.imageCount).flatMap { image in
            let ranks = Array(mask.restore[image * rowCount..<(image + 1) * rowCount])
            let patches = (0..<rowCount).sorted { ranks[$0] < ranks[$1] }.dropFirst(mask.keptCount)
            return patches.flatMap { values[(image * rowCount + $0) * width..<(image * rowCount + $0 + 1) * width] }
        }
    }

    static let names = ["mae", "mae-oblong", "mae-deep"]

    private static func configuration(_ name: String, target: MAEConfiguration.Target) -> MAEConfiguration {
        var encoder = ViTConfiguration()
        var decoder = MAEDecoderConfiguration()
        let maskRatio: Double
        switch name {
        case "mae-oblong":
            encoder.imageSize = Size(height: 8, width: 20)
            encoder.inputChannels = 1
            (encoder.width, encoder.depth, encoder.heads, encoder.hiddenWidth) = (8, 1, 2, 12)
            encoder.layerNormEpsilon = 1e-12
            (decoder.width, decoder.depth, decoder.heads, decoder.hiddenWidth) = (12, 2, 3, 10)
            maskRatio = 0.6
        case "mae-deep":
            encoder.imageSize = Size(square: 32)
            (encoder.width, encoder.depth, encoder.heads, encoder.hiddenWidth) = (24, 3, 3, 48)
            (decoder.width, decoder.depth, decoder.heads, decoder.hiddenWidth) = (16, 2, 4, 32)
            maskRatio = 0.75
        default:
            encoder.imageSize = Size(square: 16)
            (encoder.width, encoder.depth, encoder.heads, encoder.hiddenWidth) = (16, 2, 2, 40)
            (decoder.width, decoder.depth, decoder.heads, decoder.hiddenWidth) = (8, 1, 2, 24)
            maskRatio = 0.75
        }
        encoder.patchSize = Size(square: name == "mae-deep" ? 8 : 4)
        if name != "mae-oblong" { encoder.layerNormEpsilon = 1e-6 }
        var configuration = MAEConfiguration(encoder: encoder, decoder: decoder)
        configuration.maskRatio = maskRatio
        configuration.target = target
        return configuration
    }
}

@Suite struct MaskedAutoencoderTests {
    @Test(arguments: GoldenAutoencoder.names, [MAEConfiguration.Target.normalized, .pixels])
    func agreesWithTransformers(name: String, target: MAEConfiguration.Target) throws {
        let golden = try GoldenAutoencoder(name, target: target)
        #expect(golden.mask.removed == (try golden.goldens["mask"].values))
        #expect(golden.mask.restore.map { Float($0) } == (try golden.goldens["ids_restore"].values))

        let prediction = golden.model.forward(golden.images, mask: golden.mask)
        #expect(largestDifference(prediction.values, golden.removed(try golden.goldens["prediction"])) < 1e-5)

        let loss = golden.model.loss(golden.images, mask: golden.mask)
        let expected = Double(try golden.goldens["\(target.rawValue)/loss"].values[0])
        #expect(abs(loss - expected) < 1e-6 * expected)

        golden.engine.zero(golden.store.gradients)
        golden.model.backward()
        for (index, entry) in golden.store.entries.enumerated() {
            let gradient = try #require(golden.store.parameter(at: index).gradient).values
            let wanted = try golden.goldens["\(target.rawValue)/gradients/\(entry.name)"].values
            if entry.name.hasSuffix("qkv.bias") {
                // The keys' bias has no gradient in exact arithmetic: only its size can be compared.
                let third = gradient.count / 3
                #expect(largestDifference(gradient, wanted) < 1e-6, "\(entry.name)")
                #expect(relativeDifference(Array(gradient[..<third]), Array(wanted[..<third])) < 1e-4)
                #expect(relativeDifference(Array(gradient[(2 * third)...]), Array(wanted[(2 * third)...])) < 1e-4)
            } else {
                #expect(relativeDifference(gradient, wanted) < 1e-5, "\(entry.name)")
            }
        }
    }

    @Test(arguments: GoldenAutoencoder.names, [MAEConfiguration.Target.normalized, .pixels])
    func tenStepsOfAdamWAgreeWithPyTorch(name: String, target: MAEConfiguration.Target) throws {
        let golden = try GoldenAutoencoder(name, target: target)
        let moments = (
            Tensor(shape: golden.store.weights.shape), Tensor(shape: golden.store.weights.shape)
        )
        var losses: [Float] = []
        for step in 1...10 {
            _ = golden.model.forward(golden.images, mask: golden.mask)
            losses.append(Float(golden.model.loss(golden.images, mask: golden.mask)))
            golden.engine.zero(golden.store.gradients)
            golden.model.backward()
            for entry in golden.store.entries {
                golden.engine.adamW(
                    golden.store.weights, gradients: golden.store.gradients, moments: moments,
                    range: entry.offset..<entry.offset + entry.count,
                    AdamWStep(learningRate: 1e-3, weightDecay: entry.decays ? 0.05 : 0, step: step))
            }
        }
        #expect(largestDifference(losses, try golden.goldens["\(target.rawValue)/losses"].values) < 1e-5)
        for (index, entry) in golden.store.entries.enumerated() {
            var weights = golden.store.parameter(at: index).value.values
            var wanted = try golden.goldens["\(target.rawValue)/after-10/\(entry.name)"].values
            if entry.name.hasSuffix("qkv.bias") {
                let keys = weights.count / 3..<weights.count / 3 * 2
                weights.removeSubrange(keys)
                wanted.removeSubrange(keys)
            }
            #expect(relativeDifference(weights, wanted) < 1e-5, "\(entry.name)")
        }
    }

    @Test func everyParameterReceivesAGradient() throws {
        let golden = try GoldenAutoencoder("mae", target: .normalized)
        golden.engine.zero(golden.store.gradients)
        _ = golden.model.forward(golden.images, mask: golden.mask)
        _ = golden.model.loss(golden.images, mask: golden.mask)
        golden.model.backward()
        for (index, entry) in golden.store.entries.enumerated() {
            let gradient = try #require(golden.store.parameter(at: index).gradient).values
            #expect(gradient.contains { $0 != 0 }, "\(entry.name)")
        }
    }

    @Test func oneBatchCanBeLearnedByHeart() throws {
        var encoder = ViTConfiguration()
        encoder.imageSize = Size(square: 16)
        encoder.patchSize = Size(square: 4)
        encoder.width = 32
        encoder.depth = 2
        encoder.heads = 2
        encoder.hiddenWidth = 128
        var decoder = MAEDecoderConfiguration()
        decoder.width = 32
        decoder.depth = 1
        decoder.heads = 2
        decoder.hiddenWidth = 128
        let configuration = MAEConfiguration(encoder: encoder, decoder: decoder)
        let engine = Engines.make(threads: 2)
        let store = ParameterStore(
            configuration.parameterShapes.filter { !MAEConfiguration.fixedTables.contains($0.name) }
                .map { ($0.name, $0.shape) })
        ParameterInitialization.fill(store, seed: 1)
        let model = try MaskedAutoencoder(
            configuration, from: store, positions: MAEPositions(configuration), engine: engine
        ) { _ in 2 }
        let golden = try Goldens("mae")
        let images = try golden["pixels"]
        let mask = PatchMask(noise: try golden["noise"].values, patchCount: 16, keptCount: 4)
        let moments = (Tensor(shape: store.weights.shape), Tensor(shape: store.weights.shape))
        var losses: [Double] = []
        for step in 1...200 {
            _ = model.forward(images, mask: mask)
            losses.append(model.loss(images, mask: mask))
            engine.zero(store.gradients)
            model.backward()
            engine.adamW(
                store.weights, gradients: store.gradients, moments: moments, range: 0..<store.weights.count,
                AdamWStep(learningRate: 5e-3, weightDecay: 0, step: step))
        }
        #expect(losses[199] < losses[0] / 10)
    }

    @Test func theNumberOfThreadsChangesNoBit() throws {
        func gradients(threads: Int) throws -> [Float] {
            let golden = try GoldenAutoencoder("mae", target: .normalized, threads: threads)
            golden.engine.zero(golden.store.gradients)
            _ = golden.model.forward(golden.images, mask: golden.mask)
            _ = golden.model.loss(golden.images, mask: golden.mask)
            golden.model.backward()
            return golden.store.gradients.values
        }
        let one = try gradients(threads: 1)
        #expect(try gradients(threads: 2) == one)
        #expect(try gradients(threads: 3) == one)
    }
}
