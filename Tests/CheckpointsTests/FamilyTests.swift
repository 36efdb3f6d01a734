import Models
import Testing

extension Checkpoint {
    /// The Vision Transformer, or the encoder of a masked autoencoder.
    var encoder: ViTConfiguration { get throws { try visionTransformer() } }

    /// The masked autoencoder, where the decoder is present.
    var autoencoder: MAEConfiguration? { configuration as? MAEConfiguration }
}

/// Which family reads a checkpoint.
struct FamilyTests {
    @Test(arguments: Fixture.allCases) func aDecoderMakesAMaskedAutoencoder(_ fixture: Fixture) throws {
        let checkpoint = try Checkpoint.open(fixture.path)
        let hasDecoder = [.hfMAE, .maeFull].contains(fixture)
        #expect(checkpoint.family.name == (hasDecoder ? "MAE" : "ViT"))
        #expect((checkpoint.autoencoder != nil) == hasDecoder)
        // Used and not trained, it is its encoder.
        let encoder = try checkpoint.encoder
        #expect(checkpoint.configuration.backbone as? ViTConfiguration == encoder)
        #expect(checkpoint.configuration.imageSize == encoder.imageSize)
        #expect(checkpoint.configuration.width == encoder.width && checkpoint.configuration.depth == encoder.depth)
    }
}
