import Testing

/// `vit convert`.
struct ConvertTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        // Square: where the margin of a crop is odd, transformers cuts one pixel further left.
        try scratch.writeImage("a.png", seed: 3, width: 20, height: 20)
    }

    private func classify(with model: String) throws -> String {
        let outcome = try Vit.run(["classify", "a.png", "--model", model, "--format", "csv"], in: scratch)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return outcome.output
    }

    @Test func theOtherLayoutGivesTheSameAnswers() throws {
        for (model, layout) in [("timm-hub", "hf"), ("hf-deit", "timm"), ("hf-vit-modern", "hf")] {
            let outcome = try Vit.run(["convert", model, "--to", layout, "--output", "new/\(model)"], in: scratch)
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(try classify(with: "new/\(model)") == classify(with: Fixtures.checkpoint(model)))
        }
        #expect(try scratch.names == ["a.png", "new"])
    }

    @Test func halfPrecisionHalvesTheWeights() throws {
        for arguments in [["--output", "whole"], ["--output", "half", "--half"]] {
            let outcome = try Vit.run(["convert", "hf-vit", "--to", "hf"] + arguments, in: scratch)
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        let outcome = try Vit.run(["inspect", "half"], in: scratch)
        #expect(outcome.output.contains("  F16   5 × 16\n") && !outcome.output.contains("  F32 "))
        #expect(try classify(with: "whole") == classify(with: Fixtures.checkpoint("hf-vit")))
    }

    @Test func theDecoderMayBeLeftOut() throws {
        let model = Fixtures.checkpoint("mae-full/mae_visualize_vit_tiny.pth")
        for arguments in [["--output", "whole"], ["--output", "encoder", "--encoder-only"]] {
            let outcome = try Vit.run(["convert", model, "--to", "hf"] + arguments, in: scratch)
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        #expect(try Vit.run(["inspect", "whole"], in: scratch).output.contains("decoder"))
        #expect(try !Vit.run(["inspect", "encoder"], in: scratch).output.contains("decoder"))
    }

    @Test func aRefusalLeavesNothingAndSpeaksOfTheOutput() throws {
        let refused = try Vit.run(["convert", "hf-mae", "--to", "timm", "--output", "out"], in: scratch)
        #expect(refused.status == 65 && refused.errors.hasPrefix("Error: out: timm has no place"), "\(refused.errors)")
        #expect(try scratch.names == ["a.png"])
    }

    @Test func filesAreNotOverwrittenWithoutForce() throws {
        try scratch.write("keep", to: "out/notes.txt")
        try scratch.write("old", to: "out/config.json")
        let refused = try Vit.run(["convert", "hf-vit", "--to", "hf", "--output", "out"], in: scratch)
        #expect(refused.status == 73)
        #expect(refused.errorLines == ["Error: out: is not empty; name another directory, or add --force"])
        #expect(try scratch.read("out/config.json") == Array("old".utf8))
        let forced = try Vit.run(["convert", "hf-vit", "--to", "hf", "--output", "out/", "--force"], in: scratch)
        #expect(forced.status == 0, "\(forced.errors)")
        #expect(try scratch.read("out/notes.txt") == Array("keep".utf8))
        #expect(try classify(with: "out") == classify(with: Fixtures.checkpoint("hf-vit")))
        #expect(try scratch.names == ["a.png", "out"])
    }

    @Test func aPlaceThatCannotBeIs73() throws {
        for output in ["a.png", "a.png/model"] {
            let outcome = try Vit.run(["convert", "hf-vit", "--to", "hf", "--output", output], in: scratch)
            #expect(outcome.status == 73, "\(outcome.errors)")
        }
        #expect(try scratch.names == ["a.png"])
        // Where nobody makes directories.
        let refused = try Vit.run(["convert", "hf-vit", "--to", "hf", "--output", "/proc/model"], in: scratch)
        #expect(refused.status == 73 && refused.errorLines.count == 1)
        #expect(refused.errors.hasPrefix("Error: /proc/model: cannot be made"), "\(refused.errors)")
    }
}
