import Foundation
import Testing

/// CLIP and SigLIP on the command line.
struct TowerTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        for number in 0..<3 { try scratch.writeImage("photos/\(number).png", seed: number) }
    }

    private static func towers(_ name: String) -> String {
        (Fixtures.checkpoints as NSString).deletingLastPathComponent + "/towers/" + name
    }

    private func run(_ arguments: String..., model: String) throws -> Vit.Outcome {
        try Vit.run(arguments + ["--model", Self.towers(model)], in: scratch)
    }

    private func shape(_ name: String) throws -> String {
        let header = String(decoding: try scratch.read(name)[10..<128], as: UTF8.self)
        let start = try #require(header.firstRange(of: "'shape': ")).upperBound
        return String(header[start...(try #require(header.firstIndex(of: ")")))])
    }

    /// What texts are compared with is the default; the trunk's features are there too.
    @Test func embeddingsAreProjectedUnlessAskedForOtherwise() throws {
        for (model, options, expected) in [
            ("hf-clip", [], "(3, 12)"), ("hf-clip", ["--pool", "cls"], "(3, 16)"),
            ("hf-clip", ["--pool", "mean"], "(3, 16)"),
            ("hf-clip", ["--pool", "patches"], "(3, 4, 16)"), ("hf-clip", ["--layer", "1"], "(3, 16)"),
            ("hf-siglip", [], "(3, 16)"), ("hf-siglip", ["--pool", "mean"], "(3, 16)"),
            ("hf-clip-vision", ["--pool", "projection"], "(3, 12)"),
            ("open-clip-siglip", ["--pool", "map"], "(3, 64)"),
        ] as [(String, [String], String)] {
            let outcome = try Vit.run(
                ["embed", "photos", "--output", "out.npy", "--model", Self.towers(model)] + options, in: scratch)
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(try shape("out.npy") == expected, "\(model) \(options)")
        }
        let missing = try run("embed", "photos", "--output", "x.npy", "--pool", "cls", model: "hf-siglip")
        #expect(missing.status == 64 && missing.errors.contains("has no class token"), "\(missing.errors)")
        let unprojected = try run("embed", "photos", "--output", "x.npy", "--pool", "projection", model: "hf-siglip")
        #expect(unprojected.status == 64 && unprojected.errors.contains("has no projection"), "\(unprojected.errors)")
    }

    @Test func bothTowersAreDescribed() throws {
        let clip = try Vit.run(["inspect", Self.towers("hf-clip")], in: scratch)
        #expect(clip.status == 0, "\(clip.errors)")
        for words in [
            "Hugging Face transformers, image and text tower", "quick GELU", "a norm before the first",
            "40 tokens, at most 12 a text", "the first token of number 39, projected", "softmax over the texts",
        ] {
            #expect(clip.output.contains(words), "\(words) is not in \(clip.output)")
        }
        let sigLIP = try Vit.run(["inspect", Self.towers("open-clip-siglip"), "--format", "json"], in: scratch)
        for words in [
            "\"layout\": \"open_clip\"", "\"pooling\": \"map\"", "\"scoring\": \"sigmoid\"", "\"causal\": false",
        ] {
            #expect(sigLIP.output.contains(words), "\(words)")
        }
    }

    @Test func attentionOfTheVisionTower() throws {
        for model in ["hf-clip", "hf-siglip"] {
            let outcome = try run(
                "attention", "photos/0.png", "--output", "\(model).png", "--weights", "w.npy", model: model)
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(try shape("w.npy") == (model == "hf-clip" ? "(1, 2, 5, 5)" : "(1, 2, 4, 4)"))
        }
    }

    @Test func conversionKeepsTheEmbeddings() throws {
        #expect(try run("embed", "photos", "--output", "a.npy", model: "hf-clip").status == 0)
        let outcome = try Vit.run(
            ["convert", Self.towers("hf-clip"), "--to", "open_clip", "--output", "converted"], in: scratch)
        #expect(outcome.status == 0 && outcome.errors.contains("tokenizer"), "\(outcome.errors)")
        #expect(
            try Vit.run(["embed", "photos", "--output", "b.npy", "--model", "converted"], in: scratch).status == 0)
        #expect(try scratch.read("a.npy") == scratch.read("b.npy"))
        let refused = try Vit.run(
            ["convert", Self.towers("hf-clip"), "--to", "timm", "--output", "no"], in: scratch)
        #expect(refused.status == 65 && refused.errors.contains("no place for a text tower"), "\(refused.errors)")
    }
}
