import Compute
import Layers
import Models
import Support
import TestTools
import Testing

/// A masked autoencoder that is used and not trained.
struct UsedAutoencoderTests {
    private static let checkpoints =
        #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/Fixtures/checkpoints"

    private func model(_ checkpoint: Checkpoint, batchSize: Int = 1) throws -> MaskedAutoencoder {
        var configuration = try #require(checkpoint.configuration as? MAEConfiguration)
        configuration.target = .normalized
        configuration.maskRatio = 0
        return try MaskedAutoencoder(
            configuration, from: checkpoint, positions: MAEPositions(configuration, from: checkpoint),
            isTrained: false, engine: Engines.make(threads: 2)
        ) { _ in batchSize }
    }

    @Test(arguments: [("hf-mae", ""), ("mae-full", "/mae_visualize_vit_tiny.pth")])
    func agreesWithTransformersFromTheFile(folder: String, file: String) throws {
        let checkpoint = try Checkpoint.open(
            "\(Self.checkpoints)/\(folder)\(file.isEmpty ? "/model.safetensors" : file)")
        let golden = try TensorArchive.open("\(Self.checkpoints)/\(folder)/golden.safetensors")
        let mask = PatchMask(noise: (0..<16).map { Float($0) }, patchCount: 16, keptCount: 16)
        let prediction = try model(checkpoint).forward(try golden.tensor("input"), mask: mask)
        #expect(largestDifference(prediction.values, try golden.tensor("prediction").values) < 1e-5)
    }

    @Test(arguments: GoldenAutoencoder.names) func givesWhatTheTrainedOneGives(name: String) throws {
        let golden = try GoldenAutoencoder(name, target: .normalized)
        let trained = golden.model.forward(golden.images, mask: golden.mask).values
        let trainedLoss = golden.model.loss(golden.images, mask: golden.mask)
        let used = try MaskedAutoencoder(
            golden.model.configuration, from: golden.goldens,
            positions: MAEPositions(golden.model.configuration, from: golden.goldens),
            isTrained: false, engine: golden.engine
        ) { _ in golden.images.shape[0] }
        let prediction = used.forward(golden.images, mask: golden.mask)
        #expect(largestDifference(prediction.values, try golden.goldens["prediction"].values) < 1e-5)
        #expect(largestDifference(golden.removed(prediction), trained) < 5e-6)
        let before = prediction.values
        #expect(abs(used.loss(golden.images, mask: golden.mask) - trainedLoss) < 1e-6)
        let (losses, expected) = (used.imageLosses(mask: golden.mask), golden.model.imageLosses(mask: golden.mask))
        #expect(losses.count == golden.images.shape[0] && isClose(losses, expected, within: 1e-6))
        // No gradient takes the place of the prediction.
        #expect(prediction.values == before)
    }

    @Test func anotherBatchSizeGivesTheSame() throws {
        let checkpoint = try Checkpoint.open("\(Self.checkpoints)/hf-mae")
        let model = try model(checkpoint, batchSize: 2)
        let input = try TensorArchive.open("\(Self.checkpoints)/hf-mae/golden.safetensors").tensor("input")
        let noise = (0..<16).map { Float($0) }
        let both = Tensor(input.values + input.values, shape: [2, 3, 16, 16])
        let mask = PatchMask(noise: noise + noise, patchCount: 16, keptCount: 16)
        let pair = model.forward(both, mask: mask).values
        let single = model.sized(for: 1).forward(
            input, mask: PatchMask(noise: noise, patchCount: 16, keptCount: 16)
        ).values
        #expect(pair == single + single)
    }

    @Test func positionsAreFittedToTheGrid() throws {
        let checkpoint = try Checkpoint.open("\(Self.checkpoints)/hf-mae")
        let trained = try #require(checkpoint.configuration as? MAEConfiguration)
        var encoder = trained.encoder
        encoder.positionImageSize = encoder.imageSize
        encoder.imageSize = Size(height: 24, width: 32)
        let configuration = MAEConfiguration(encoder: encoder, decoder: trained.decoder)
        let positions = try MAEPositions(configuration, from: checkpoint)
        #expect(positions.encoder.shape == [49, 16] && positions.decoder.shape == [49, 12])
        let stored = try checkpoint.tensor("decoder_pos_embed").values
        #expect(Array(positions.decoder.values.prefix(12)) == Array(stored.prefix(12)))
        let fitted = PositionResampling.resample(
            Array(stored.dropFirst(12)), width: 12, from: Size(square: 4), to: Size(height: 6, width: 8),
            as: .transformers)
        #expect(Array(positions.decoder.values.dropFirst(12)) == fitted)
    }
}
