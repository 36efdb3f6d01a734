import Testing

/// The command line itself: help, version and invalid arguments.
struct UsageTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        try scratch.writeImage("a.png")
    }

    @Test(arguments: [
        ["classify"], ["inspect"], ["convert"], ["nothing"], ["classify", "a.png", "--nothing"],
        ["classify", "a.png", "--top-k", "0"], ["classify", "a.png", "--top-k", "many"],
        ["classify", "a.png", "--format", "xml"], ["classify", "a.png", "--threads", "0"],
        ["classify", "a.png", "--threads", "100000"], ["classify", "a.png", "--batch-size", "0"],
        ["classify", "a.png", "--max-pixels", "0"], ["convert", "hf-vit", "--to", "onnx", "--output", "o"],
        ["convert", "hf-vit", "--to", "hf"], ["inspect", "hf-vit", "--format", "csv"],
    ])
    func mistakesEndWith64(_ arguments: [String]) throws {
        let outcome = try Vit.run(arguments, in: scratch)
        #expect(outcome.status == 64)
        #expect(outcome.errors.hasPrefix("Error: "))
        #expect(outcome.output.isEmpty)
    }

    @Test(arguments: ["portable", "sse5", ""])
    func instructionSetIsSelectedByTheEnvironment(name: String) throws {
        try scratch.copyCheckpoint("hf-vit")
        let outcome = try Vit.run(
            ["classify", "a.png", "--model", "hf-vit"], in: scratch, environment: ["VIT_INSTRUCTION_SET": name])
        #expect(outcome.status == (name == "portable" ? 0 : 64))
        if name == "portable" { return }
        #expect(outcome.errors.hasPrefix("Error: VIT_INSTRUCTION_SET is \"\(name)\", but this processor runs: "))
        #expect(outcome.errorLines.count == 1 && outcome.output.isEmpty)
    }

    @Test(arguments: [
        ["--help"], ["classify", "--help"], ["inspect", "--help"], ["convert", "--help"], ["pretrain", "--help"],
        ["finetune", "--help"],
        ["models", "--help"], ["reconstruct", "--help"], ["benchmark", "--help"], ["evaluate", "--help"],
        ["probe", "--help"],
    ])
    func helpHasExamples(_ arguments: [String]) throws {
        let outcome = try Vit.run(arguments, in: scratch)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("Examples:\n  vit ") && outcome.errors.isEmpty)
    }

    @Test func subcommandsAreGrouped() throws {
        let help = try Vit.run(["--help"], in: scratch).output
        let groups = [
            "INFERENCE SUBCOMMANDS:": ["classify", "attention", "reconstruct", "evaluate", "benchmark"],
            "EMBEDDINGS SUBCOMMANDS:": ["embed", "search", "duplicates", "map"],
            "TRAINING SUBCOMMANDS:": ["pretrain", "finetune", "probe"],
            "CHECKPOINTS SUBCOMMANDS:": ["inspect", "convert", "models"],
        ]
        for (title, commands) in groups {
            let section = try #require(help.range(of: title).map { help[$0.upperBound...] })
            let lines = section.split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
                .prefix { !$0.isEmpty }
            let names = lines.filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
                .compactMap { $0.split(separator: " ").first.map(String.init) }
            #expect(names == commands, "\(title)")
        }
    }

    @Test(arguments: [["--version"], ["classify", "--version"]])
    func versionNamesEngineAndInstructionSet(_ arguments: [String]) throws {
        let outcome = try Vit.run(arguments, in: scratch)
        #expect(outcome.status == 0 && outcome.errors.isEmpty)
        #expect(outcome.lines.count == 2 && outcome.lines[0].wholeMatch(of: /vit \d+\.\d+\.\d+/) != nil)
        #expect(
            outcome.lines[1].wholeMatch(of: /CPU engine, (AVX-512( with BF16| with VNNI)?|AVX2( with VNNI)?|SSE2|NEON)/)
                != nil, "\(outcome.output)")
    }

    @Test func modelsAreKnownByName() throws {
        try scratch.copyCheckpoint("hf-vit")
        let elsewhere = try Scratch()
        try elsewhere.writeImage("a.png")
        let named = try Vit.run(
            ["classify", "a.png", "--model", "hf-vit"], in: elsewhere,
            environment: ["VIT_CHECKPOINTS": scratch.path("")])
        #expect(named.status == 0, "\(named.errors)")
        let path = try Vit.run(["classify", "a.png", "--model", scratch.path("hf-vit")], in: elsewhere)
        #expect(path.output == named.output)
    }
}
