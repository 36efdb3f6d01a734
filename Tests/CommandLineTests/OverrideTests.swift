import Testing

/// Options that override the preprocessing of the checkpoint.
struct OverrideTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        try scratch.writeImage("a.png", seed: 4, width: 40, height: 52)
    }

    private func classify(_ arguments: String...) throws -> Vit.Outcome {
        try Vit.run(["classify", "a.png", "--model", "hf-vit", "--format", "csv"] + arguments, in: scratch)
    }

    @Test func repeatingTheCheckpointsSettingsChangesNothing() throws {
        let plain = try classify()
        #expect(plain.status == 0)
        let said = try classify(
            "--resize", "20x16", "--interpolation", "bilinear", "--mean", "0.4,0.5,0.6", "--std", "0.3,0.2,0.25",
            "--image-size", "16")
        #expect(said.status == 0, "\(said.errors)")
        #expect(said.output == plain.output)
    }

    @Test(arguments: [
        ["--resize", "18"], ["--resize", "none"], ["--interpolation", "nearest"], ["--mean", "0.5"], ["--std", "0.5"],
        ["--mean=-0.1,0,0.1"], ["--crop-pct", "0.5"], ["--image-size", "24"], ["--image-size", "12x32"],
    ])
    func eachOneCounts(_ arguments: [String]) throws {
        let outcome = try Vit.run(
            ["classify", "a.png", "--model", "hf-vit", "--format", "csv"] + arguments, in: scratch)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.lines.count == 6)
        #expect(outcome.output != (try classify().output))
    }

    @Test(arguments: [
        ["--image-size", "18"], ["--image-size", "0"], ["--image-size", "16x"], ["--image-size", "65536"],
        ["--image-size", "60000"], ["--resize", "x"], ["--crop-pct", "0"], ["--crop-pct", "1.5"],
        ["--crop-pct", "0.9", "--resize", "20"], ["--interpolation", "cubic"], ["--mean", "1,2"], ["--mean", "nan"],
        ["--std", "0"], ["--std", "1,2,3,4"],
    ])
    func whatDoesNotFitIsAUsageError(_ arguments: [String]) throws {
        let outcome = try Vit.run(["classify", "a.png", "--model", "hf-vit"] + arguments, in: scratch)
        #expect(outcome.status == 64, "\(outcome.errors)")
        #expect(outcome.errors.hasPrefix("Error: "))
        #expect(outcome.output.isEmpty)
    }
}
