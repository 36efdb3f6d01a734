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
}
