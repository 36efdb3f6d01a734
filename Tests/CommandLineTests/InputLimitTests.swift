import Foundation
import Testing

/// Limits of the system, and inputs without an end.
struct InputLimitTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        for seed in 0..<40 { try scratch.writeImage("photos/\(seed % 2 == 0 ? "ant" : "bee")/\(seed).png", seed: seed) }
    }

    @Test func aLimitOnTheSizeOfFilesIsReported() throws {
        let names = try scratch.names
        for (arguments, output) in [
            (["convert", "hf-vit", "--to", "timm", "--output", "out"], "out/model.safetensors"),
            (["evaluate", "photos", "--model", "hf-vit", "--predictions", "out.csv", "--quiet"], "out.csv"),
            (["attention", "photos/ant/0.png", "--model", "hf-vit", "--output", "out.png"], "out.png"),
        ] {
            let outcome = try runLimited(arguments)
            #expect(outcome.status == 74, "\(arguments): \(outcome.status) \(outcome.errors)")
            #expect(
                outcome.errors.hasSuffix("Error: \(output): cannot be written: File too large\n"), "\(outcome.errors)")
            #expect(try scratch.names == names, "\(arguments)")
        }
        let printed = try runLimited(["inspect", "hf-vit"])
        #expect(printed.status == 74)
        #expect(printed.errorLines == ["Error: standard output: cannot be written: File too large"])
    }

    /// Runs `vit` where no file may be larger than half a kilobyte.
    private func runLimited(_ arguments: [String]) throws -> Vit.Outcome {
        try Vit.Run(
            ["-c", "ulimit -f 1; exec \"$0\" \"$@\"", Vit.executable.path] + arguments, in: scratch,
            executable: URL(fileURLWithPath: "/bin/sh")
        ).wait()
    }

    @Test func whatHasNoEndIsRefused() throws {
        for (arguments, status) in [
            (["classify", "@/dev/zero", "--model", "hf-vit"], 65),
            (["classify", "photos", "--model", "hf-vit", "--labels", "/dev/zero"], 65),
            (["evaluate", "/dev/zero", "--model", "hf-vit"], 65), (["pretrain", "/dev/zero", "--output", "run"], 65),
            (["finetune", "/dev/zero", "--output", "run"], 65), (["inspect", "/dev/zero"], 65),
            (["classify", "/dev/zero", "--model", "hf-vit"], 74),
        ] as [([String], Int32)] {
            let outcome = try Vit.run(arguments, in: scratch)
            #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
            #expect(outcome.errors.lowercased().contains("/dev/zero: "), "\(outcome.errors)")
            #expect(outcome.errors.lowercased().contains("not a regular file"), "\(arguments): \(outcome.errors)")
        }
        #expect(try scratch.names == ["photos"])
    }

    /// A pipe has no size, and is read all the same.
    @Test func listsMayComeFromPipes() throws {
        #expect(mkfifo(scratch.path("list"), 0o600) == 0)
        let run = try Vit.Run(
            ["classify", "@list", "--model", "hf-vit", "--format", "csv", "--top-k", "1"], in: scratch)
        let pipe = try #require(FileHandle(forWritingAtPath: scratch.path("list")))
        try pipe.write(contentsOf: Data("photos/ant/0.png\nphotos/bee/1.png\n".utf8))
        try pipe.close()
        let outcome = try run.wait()
        #expect(outcome.status == 0 && outcome.lines.count == 3, "\(outcome.errors)")
    }
}
