import Foundation
import Testing

/// What a checkpoint does not state and is assumed is said once, by every command that depends on it.
struct AssumptionTests {
    private let scratch: Scratch
    private let model = Fixtures.checkpoint("mae-finetuned/checkpoint-99.pth")

    init() throws {
        scratch = try Scratch()
        for index in 0..<12 {
            let part = index < 8 ? "train" : "val"
            for name in ["a", "b", "c", "d", "e"] {
                try scratch.writeImage("data/\(part)/\(name)/\(index).png", seed: index)
            }
        }
        try scratch.write("a\nb\nc\nd\ne\n", to: "names.txt")
    }

    private func notes(_ arguments: [String]) throws -> [String] {
        let outcome = try Vit.run(arguments, in: scratch)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return outcome.errorLines.filter { $0.contains("not stated, so assumed") }
    }

    @Test(arguments: [
        (["classify", "data", "--model"], true), (["evaluate", "data", "--labels", "names.txt", "--model"], true),
        (["embed", "data", "--output", "index.npy", "--model"], false),
        (["probe", "data", "--method", "knn", "--model"], false),
        (["attention", "data/val/a/8.png", "--output", "maps", "--model"], false),
        (["finetune", "data", "--output", "run", "--steps", "1", "--batch-size", "4", "--init"], false),
    ])
    func assumptionsAreSaidOnce(_ arguments: [String], usesHead: Bool) throws {
        let found = try notes(arguments + [model])
        #expect(found.count == 1)
        #expect(
            found[0].contains("checkpoint-99.pth") && found[0].contains("Preprocessing") && found[0].contains("heads"))
        #expect(found[0].contains("Softmax") == usesHead)
        try? FileManager.default.removeItem(atPath: scratch.path("run"))
        #expect(try notes(arguments + [model, "--quiet"]).isEmpty)
    }

    /// Of several models in a file, what is taken is said; what is chosen is not.
    @Test func theModelTakenIsSaid() throws {
        let model = Fixtures.checkpoint("torch-training/checkpoint.pth")
        for (index, arguments) in [
            ["classify", "data"], ["evaluate", "data", "--labels", "names.txt"], ["probe", "data", "--method", "knn"],
            ["embed", "data", "--output"],
        ].enumerated() {
            func said(_ output: String, _ more: String...) throws -> Bool {
                let arguments = arguments + (index == 3 ? [output] : []) + ["--model", model] + more
                return try notes(arguments).contains { $0.contains("The model under state_dict_ema") }
            }
            #expect(try said("taken.npy") && !said("chosen.npy", "--weights", "state_dict"), "\(arguments)")
        }
        let finetune = ["finetune", "data", "--steps", "1", "--batch-size", "4"]
        let taken = try notes(finetune + ["--output", "taken", "--init", model])
        #expect(taken.contains { $0.contains("The model under state_dict_ema") })
        let chosen = try notes(finetune + ["--output", "chosen", "--init", model, "--weights", "state_dict"])
        #expect(!chosen.contains { $0.contains("The model under") })
        let refused = try Vit.run(finetune + ["--output", "no", "--init", model, "--weights", "x"], in: scratch)
        #expect(refused.status != 0 && refused.errors.contains("holds no model under x; it holds state_dict.module"))
        let alone = try Vit.run(finetune + ["--output", "no", "--weights", "x"], in: scratch)
        #expect(alone.status == 64 && alone.errors.contains("--init, which is not given"))
    }

    @Test func whatIsStatedOrChosenIsNotSaid() throws {
        #expect(try notes(["classify", "data", "--model", "hf-vit"]).isEmpty)
        let chosen = try notes(["classify", "data", "--model", model, "--activation", "softmax"])
        #expect(chosen.count == 1 && !chosen[0].contains("Softmax"))
    }
}
