import Foundation
import Testing

/// Names that hold the end of a line and codes of a terminal: exact in results, and never more than a name in messages.
struct ForgedNameTests {
    private let scratch: Scratch
    private let name = "a\nError: b\u{1B}[31m\u{202E}.png"
    private let shown = "a\\nError: b\\x1B[31m\\u{202E}.png"

    init() throws {
        scratch = try Scratch()
        for folder in ["ant", "bee"] {
            try scratch.write("nonsense", to: "photos/\(folder)/\(name)")
            for seed in 1...4 { try scratch.writeImage("photos/\(folder)/\(seed).png", seed: seed) }
        }
    }

    /// Runs `vit`; every line on standard error that speaks of the name shows it, and no other line begins with it.
    private func run(_ arguments: String..., namesIt: Bool = true) throws -> Vit.Outcome {
        let outcome = try Vit.run(arguments, in: scratch)
        #expect(!outcome.errors.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" }, "\(arguments)")
        #expect(!outcome.errorLines.contains { $0.hasPrefix("Error: b") }, "\(arguments): \(outcome.errors)")
        #expect(outcome.errors.contains(shown) == namesIt, "\(arguments): \(outcome.errors)")
        return outcome
    }

    @Test func classifyEmbedAndEvaluateNameTheFile() throws {
        let classified = try run("classify", "photos/ant", "--model", "hf-vit", "--format", "jsonl")
        #expect(classified.status == 1)
        #expect(
            try classified.objects().contains { $0["path"] as? String == "photos/ant/\(name)" && $0["error"] != nil })
        #expect(try run("classify", "photos/ant/\(name)", "--model", "hf-vit").status == 65)
        let embedded = try run("embed", "photos/ant", "--model", "hf-vit", "--output", "out.npy")
        #expect(embedded.status == 1)
        let failures = String(decoding: try scratch.read("out.errors.csv"), as: UTF8.self)
        #expect(failures.contains("\"photos/ant/\(name)\","))
        #expect(try run("evaluate", "photos", "--model", "hf-vit").status != 0)
    }

    @Test func pretrainNamesTheFile() throws {
        let outcome = try run(
            "pretrain", "photos", "--output", "run", "--steps", "2", "--batch-size", "2", "--image-size", "16",
            "--patch-size", "8", "--width", "16", "--depth", "1", "--heads", "2", "--decoder-width", "16",
            "--decoder-depth", "1", "--decoder-heads", "2", "--threads", "1")
        #expect(outcome.status == 1, "\(outcome.errors)")
    }

    @Test func namesOfCheckpointsAndArgumentsAreShown() throws {
        try scratch.write("nonsense", to: "dir/\(name)")
        #expect(try run("convert", "dir/\(name)", "--to", "hf", "--output", "out").status == 65)
        #expect(try run("classify", "photos/ant/1.png", "--model", "none/\(name)").status == 66)
        // Messages of the parser of the command line repeat arguments.
        #expect(try run("inspect", "hf-vit", name).status == 64)
        #expect(try run("classify", "photos", "--top-k=\(name)").status == 64)
        #expect(try run("classify", "photos", "--top-k", name).status == 64)
        let usage = try Vit.run(["classify", "--nonsense"], in: scratch)
        #expect(usage.status == 64 && usage.errorLines.count >= 2 && usage.errors.hasPrefix("Error: "))
    }
}
