import Foundation
import Testing

/// `vit inspect`.
struct InspectTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func textNamesModelPreprocessingAndTensors() throws {
        let outcome = try Vit.run(["inspect", "hf-vit"], in: scratch)
        #expect(outcome.status == 0 && outcome.errors.isEmpty)
        for expected in [
            "Hugging Face transformers (safetensors)", "16 × 16 pixels, 3 channels", "2 blocks, width 16, 2 heads",
            "5: ant, bee, cicada, dragonfly, earwig", "5,637; in the files 40 tensors", "squash to 20 × 16, bilinear",
            "centre crop to 16 × 16", "divide samples by 255",
            "subtract 0.4 0.5 0.6, divide by 0.3 0.2 0.25", "vit.embeddings.cls_token",
        ] {
            #expect(outcome.output.contains(expected), "\(expected)")
        }
    }

    /// Where the model is, and which of several `--weights` chooses.
    @Test func theModelIsFoundInATrainingProgramsFile() throws {
        let model = Fixtures.checkpoint("torch-training/checkpoint.pth")
        let outcome = try Vit.run(["inspect", model], in: scratch)
        #expect(outcome.status == 0 && outcome.output.contains("\n  found under state_dict_ema\n"))
        #expect(outcome.output.contains("optimizer.state.0.exp_avg: it lies beside the model"))
        let chosen = try Vit.run(["inspect", model, "--weights", "state_dict", "--format", "json"], in: scratch)
        let parsed = try JSONSerialization.jsonObject(with: Data(chosen.output.utf8))
        #expect((parsed as? [String: Any])?["location"] as? String == "state_dict.module")
        let bare = try Vit.run(["inspect", "timm-hub"], in: scratch)
        #expect(!bare.output.contains("found under"))
        try scratch.writeImage("a.png")
        func classify(_ arguments: String...) throws -> Vit.Outcome {
            try Vit.run(["classify", "a.png", "--model", model] + arguments, in: scratch)
        }
        #expect(try classify().output != classify("--weights", "state_dict").output)
        #expect(try classify().output == classify("--weights", "state_dict_ema").output)
        let refused = try classify("--weights", "student")
        #expect(refused.status == 65)
        #expect(
            refused.errorLines == [
                "Error: \(model): holds no model under student; it holds state_dict.module, state_dict_ema"
            ])
    }

    @Test func textListsAssumptions() throws {
        let outcome = try Vit.run(["inspect", Fixtures.checkpoint("mae-finetuned/checkpoint-99.pth")], in: scratch)
        #expect(outcome.output.contains("\nAssumed, because no file states it\n"))
    }

    @Test func jsonHoldsTheSame() throws {
        let outcome = try Vit.run(["inspect", "timm-hub", "--format", "json"], in: scratch)
        let parsed = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
        let object = try #require(parsed as? [String: Any])
        #expect(object["layout"] as? String == "timm")
        let configuration = try #require(object["configuration"] as? [String: Any])
        #expect(configuration["image_size"] as? [Int] == [16, 16] && configuration["width"] as? Int == 16)
        #expect(configuration["layer_norm_epsilon"] as? Double == 1e-6)
        let preprocessing = try #require(object["preprocessing"] as? [String: Any])
        #expect((preprocessing["resize"] as? [String: Int]) == ["shortest_edge": 17])
        let tensors = try #require(object["tensors"] as? [[String: Any]])
        #expect(tensors.allSatisfy { $0["name"] is String && $0["dtype"] as? String == "F32" && $0["shape"] is [Int] })
    }

    /// A precision rounds the weights of the blocks' layers; int8 takes one byte or, without VNNI, two.
    @Test func memoryOfEachPrecisionIsSaid() throws {
        let outcome = try Vit.run(["inspect", "timm-hub", "--format", "json"], in: scratch)
        let parsed = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
        let object = try #require(parsed as? [String: Any])
        let bytes = try #require(object["weight_bytes"] as? [String: Int])
        let tensors = try #require(object["tensors"] as? [[String: Any]])
        let rounded = tensors.reduce(0) { sum, tensor in
            guard let name = tensor["name"] as? String, let shape = tensor["shape"] as? [Int] else { return sum }
            return name.hasPrefix("blocks.") && shape.count == 2 ? sum + shape[0] * shape[1] : sum
        }
        let exact = try #require(object["parameters"] as? Int) * 4
        #expect(rounded > 0 && bytes["float32"] == exact && bytes["bfloat16"] == exact - 2 * rounded)
        #expect(bytes["int8"] == exact - 3 * rounded || bytes["int8"] == exact - 2 * rounded)
        #expect(try Vit.run(["inspect", "timm-hub"], in: scratch).output.contains("MB in bfloat16, "))
    }
}
