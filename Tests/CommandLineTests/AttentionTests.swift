import Foundation
import Imaging
import Testing

/// `vit attention`.
struct AttentionTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        for number in 0..<2 { try scratch.writeImage("\(number).png", seed: number) }
    }

    private func run(_ arguments: String...) throws -> Vit.Outcome {
        try Vit.run(["attention", "--model", "hf-vit"] + arguments, in: scratch)
    }

    private func header(_ name: String) throws -> String {
        String(decoding: try scratch.read(name)[10..<128], as: UTF8.self)
    }

    @Test func aSheetForEachInput() throws {
        let outcome = try run("0.png", "1.png", "--output", "out", "--weights", "w.npy")
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        #expect(outcome.lines == ["0.png  layer 2  out/0.png", "1.png  layer 2  out/1.png"])
        #expect(try Image(contentsOfFile: scratch.path("out/0.png")).width == 808)
        #expect(try header("w.npy").contains("'shape': (2, 2, 17, 17)"))
    }

    @Test func oneHeadAndTheRollout() throws {
        #expect(
            try run("0.png", "--output", "head.png", "--head", "2", "--layer", "1", "--weights", "h.npy").status == 0)
        #expect(try run("0.png", "--output", "head.jpg", "--weights", "j.npy").status == 0)
        #expect(try scratch.read("head.jpg").starts(with: [0xFF, 0xD8]))
        #expect(try run("0.png", "--output", "sheet.png", "--layer", "1", "--weights", "all.npy").status == 0)
        #expect(try header("h.npy").contains("'shape': (1, 17, 17)"))
        #expect(try Array(scratch.read("h.npy")[128...]) == Array(scratch.read("all.npy")[(128 + 17 * 17 * 4)...]))
        let rollout = try run("0.png", "--output", "rollout.png", "--rollout", "--weights", "r.npy", "--format", "json")
        #expect(try rollout.objects()[0]["picture"] as? String == "rollout.png")
        #expect(try scratch.read("r.npy") != scratch.read("h.npy"))
        #expect(try scratch.read("rollout.png") != scratch.read("head.png"))
    }

    @Test func threadsDoNotMatter() throws {
        #expect(try run("0.png", "--output", "a.png", "--weights", "a.npy", "--threads", "1").status == 0)
        #expect(try run("0.png", "--output", "b.png", "--weights", "b.npy", "--threads", "3").status == 0)
        #expect(try scratch.read("a.npy") == scratch.read("b.npy") && scratch.read("a.png") == scratch.read("b.png"))
    }

    @Test func failures() throws {
        try scratch.write("nonsense", to: "bad.png")
        let several = try run("0.png", "bad.png", "--output", "out", "--weights", "w.npy")
        #expect(several.status == 1 && several.errors.contains("1 of 2 drawn, 1 failed"), "\(several.errors)")
        #expect(try header("w.npy").contains("'shape': (1, 2, 17, 17)"))
        #expect(try run("bad.png", "--output", "x.png").status == 65)
        for arguments in [
            ["--layer", "0"], ["--layer", "3"], ["--head", "3"], ["--head", "0"], ["--head", "1", "--rollout"],
        ] {
            let outcome = try Vit.run(
                ["attention", "0.png", "--model", "hf-vit", "--output", "x.png"] + arguments, in: scratch)
            #expect(outcome.status == 64, "\(arguments): \(outcome.errors)")
        }
        #expect(try run("0.png", "1.png", "--output", "x.png").status == 64)
        #expect(try run("0.png", "--output", "nowhere/x.png").status == 73)
        #expect(!(try scratch.names.contains("x.png")))
    }
}
