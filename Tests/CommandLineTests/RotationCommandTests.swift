import Foundation
import Testing

/// `vit pretrain --method rotation` from outside, and what other commands make of its result.
struct RotationCommandTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        for seed in 0..<8 {
            try scratch.writeImage("data/cat/\(seed).png", seed: seed)
            try scratch.writeImage("data/dog/\(seed).png", seed: seed + 8)
        }
    }

    private func pretrain(_ arguments: String...) throws -> Vit.Outcome {
        let options = [
            "--image-size", "16", "--patch-size", "4", "--width", "16", "--depth", "1", "--heads", "2", "--batch-size",
            "4", "--validation-fraction", "0.3", "--steps", "6",
        ]
        return try Vit.run(
            ["pretrain", "data", "--output", "run", "--method", "rotation"] + options + arguments, in: scratch)
    }

    @Test func aRunLeavesAClassifierThatOthersTake() throws {
        let outcome = try pretrain()
        #expect(outcome.status == 0 && outcome.output.isEmpty, "\(outcome.errors)")
        let configuration = String(decoding: try scratch.read("run/model/config.json"), as: UTF8.self)
        #expect(configuration.contains("ViTForImageClassification") && configuration.contains("270°"))
        let settings = String(decoding: try scratch.read("run/config.json"), as: UTF8.self)
        #expect(settings.hasPrefix("{\n  \"method\": \"rotation\","))
        #expect(
            try Vit.run(["embed", "data", "--model", "run/model", "--output", "all.npy"], in: scratch).status == 0)
        let probe = ["probe", "data", "--model", "run/model", "--method", "knn", "--k", "3"]
        #expect(try Vit.run(probe + ["--validation-fraction", "0.3"], in: scratch).status == 0)
        // Two classes instead of four rotations.
        let finetuning = try Vit.run(
            ["finetune", "data", "--output", "tuned", "--init", "run/model", "--steps", "2", "--batch-size", "4"],
            in: scratch)
        #expect(finetuning.status == 0)
        #expect(
            finetuning.errors.contains(
                "the head starts afresh: the checkpoint has 4 classes, the run has 2"), "\(finetuning.errors)")
        // It resumes by its own method.
        #expect(try Vit.run(["pretrain", "data", "--output", "run", "--resume"], in: scratch).status == 0)
    }

    @Test func aPlanCountsTheViews() throws {
        let outcome = try pretrain("--plan")
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("16 patches of 4, 4 views per image"), "\(outcome.output)")
        #expect(outcome.output.contains("rotations by 0°, 90°, 180°, 270°"))
        #expect(try scratch.names == ["data"])
    }

    @Test func endsAsTheContractSays() throws {
        let shape = try pretrain("--image-size", "16x32")
        #expect(shape.status == 64)
        #expect(
            shape.errors
                == "Error: --method rotation needs square images, not 16x32; expected one number as --image-size\n")
        let option = try pretrain("--mask-ratio", "0.5")
        #expect(option.status == 64)
        #expect(option.errors == "Error: --mask-ratio is not an option of the method rotation\n")
        #expect(try scratch.names == ["data"])
    }
}
