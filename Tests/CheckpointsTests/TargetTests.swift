import Models
import TestTools
import Testing

/// What a decoder gives, normalised patches or pixels, and who says so.
struct TargetTests {
    @Test func configurationsStateIt() throws {
        let pixels = try Checkpoint.open(Fixture.hfMAE.path)
        #expect(pixels.autoencoder?.target == .pixels && pixels.statesTarget)
        let scratch = try ScratchDirectory()
        let path = try scratch.copy(.hfMAE)
        for (line, target) in [
            (#""norm_pix_loss": true"#, MAEConfiguration.Target.normalized), (#""use_cache": true"#, .pixels),
        ] {
            let text = String(decoding: try readFile(Fixture.hfMAE.directory + "/config.json"), as: UTF8.self)
            try scratch.write(text.replacing(#""norm_pix_loss": false"#, with: line), to: "config.json")
            let checkpoint = try Checkpoint.open(path)
            #expect(checkpoint.autoencoder?.target == target && checkpoint.statesTarget)
        }
    }

    @Test func argumentsOfTheTrainingScriptStateIt() throws {
        let checkpoint = try Checkpoint.open(Fixture.maeFull.path)
        #expect(checkpoint.autoencoder?.target == .normalized && checkpoint.statesTarget)
    }

    @Test func itIsAssumedWhereNobodyStatesIt() throws {
        let scratch = try ScratchDirectory()
        try Checkpoint.open(Fixture.hfMAE.path).convert(to: .mae, directory: scratch.path)
        #expect(try Checkpoint.open(scratch.path).autoencoder?.target == .pixels)
        try scratch.write(#"{"num_attention_heads": 2, "decoder_num_attention_heads": 4}"#, to: "config.json")
        let bytes = try readFile(scratch.path + "/model.pth")
        for (name, target) in [("model.pth", MAEConfiguration.Target.normalized), ("mae_visualize.pth", .pixels)] {
            let checkpoint = try Checkpoint.open(try scratch.write(bytes, to: name))
            #expect(checkpoint.autoencoder?.target == target && !checkpoint.statesTarget)
            #expect(checkpoint.assumptions.contains { $0.contains("target") })
        }
    }

    @Test func maskRatiosAreReadAndKept() throws {
        #expect(try Checkpoint.open(Fixture.hfViT.path).statedMaskRatio == nil)
        #expect(try Checkpoint.open(Fixture.maeFull.path).statedMaskRatio == 0.75)
        let scratch = try ScratchDirectory()
        let path = try scratch.copy(.hfMAE)
        let text = String(decoding: try readFile(Fixture.hfMAE.directory + "/config.json"), as: UTF8.self)
        try scratch.write(text.replacing(#""mask_ratio": 0.0"#, with: #""mask_ratio": 0.7"#), to: "config.json")
        let original = try Checkpoint.open(path)
        #expect(original.statedMaskRatio == 0.7)
        for layout in [ExportLayout.huggingFace, .mae] {
            let copy = try ScratchDirectory()
            try original.convert(to: layout, directory: copy.path)
            #expect(try Checkpoint.open(copy.path).statedMaskRatio == 0.7)
        }
    }

    @Test func encodersHaveNone() throws {
        let checkpoint = try Checkpoint.open(Fixture.hfViT.path)
        #expect(checkpoint.autoencoder?.target == nil && checkpoint.assumptions.allSatisfy { !$0.contains("target") })
    }
}

extension Checkpoint {
    fileprivate var statesTarget: Bool { !unstated.contains(MAEConfiguration.targetName) }
    fileprivate var statedMaskRatio: Double? {
        unstated.contains(MAEConfiguration.maskRatioName) ? nil : autoencoder?.maskRatio
    }
}
