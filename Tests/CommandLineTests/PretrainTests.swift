import Foundation
import Testing

/// `vit pretrain` from outside: its files, its exit codes, and what it survives.
struct PretrainTests {
    private let scratch: Scratch
    private let options = [
        "--image-size", "16", "--patch-size", "4", "--width", "16", "--depth", "1", "--heads", "2", "--decoder-width",
        "8", "--decoder-depth", "1", "--decoder-heads", "2", "--batch-size", "4", "--checkpoint-every", "3",
    ]

    init() throws {
        scratch = try Scratch()
        for seed in 0..<12 { try scratch.writeImage("data/\(seed).png", seed: seed) }
    }

    private func pretrain(_ arguments: String...) throws -> Vit.Outcome {
        try Vit.run(["pretrain", "data", "--output", "run"] + options + arguments, in: scratch)
    }

    @Test func aRunLeavesWhatTheContractSays() throws {
        let outcome = try pretrain("--steps", "6", "--log-every", "2")
        #expect(outcome.status == 0 && outcome.output.isEmpty)
        #expect(outcome.errors.contains("step 6 of 6"))
        let files = try FileManager.default.contentsOfDirectory(atPath: scratch.path("run")).sorted().filter {
            $0 != ".lock"
        }
        let expected = [
            "checkpoints", "config.json", "metrics.jsonl", "model", "reconstructions", "report.html", "tensorboard",
        ]
        #expect(files == expected)
        let checkpoint = try FileManager.default.contentsOfDirectory(atPath: scratch.path("run/checkpoints/6")).sorted()
        #expect(checkpoint == ["config.json", "model.safetensors", "optimizer.safetensors", "state.json"])
        let lines = String(decoding: try scratch.read("run/metrics.jsonl"), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 3 && lines[0].hasPrefix("{\"step\":2,\"epoch\":"))
        #expect(try Vit.run(["inspect", "run/model"], in: scratch).status == 0)
    }

    @Test func aPlanTrainsNothing() throws {
        let outcome = try pretrain("--epochs", "30", "--accumulate", "2", "--plan")
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("effective batch   8 (4 × 2)"))
        #expect(outcome.output.contains("steps             30 (1 per epoch, 30.0 epochs)"))
        #expect(outcome.output.contains("warning: 12 images are few"))
        #expect(try scratch.names == ["data"])
    }

    /// By the square root of the batch, or in proportion to it where a base rate is asked for.
    @Test func theLearningRateSuitsTheBatch() throws {
        #expect(try pretrain("--plan").output.contains("learning rate     7.5e-05, "))
        #expect(try pretrain("--blr", "0.00015", "--plan").output.contains("learning rate     2.34375e-06, "))
        let asked = try pretrain("--lr", "0.00015", "--plan").output
        #expect(asked.contains("learning rate     0.00015, ") && !asked.contains("--lr"))
        #expect(try pretrain("--lr", "0.001", "--plan").output.contains("warning: --lr 0.001 is high for a batch of 4"))
    }

    @Test func whatTransformersCannotBuildIsSaidFirst() throws {
        let warning = "warning: transformers cannot build a masked autoencoder for images of"
        #expect(try pretrain("--image-size", "16x32", "--plan").output.contains("\(warning) 16x32 pixels"))
        #expect(try !pretrain("--plan").output.contains(warning))
    }

    @Test func corruptPicturesAreNamedOnceAndCounted() throws {
        try scratch.write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1, 2], to: "data/bad.png")
        let outcome = try pretrain("--steps", "12", "--quiet")
        #expect(outcome.status == 1)
        #expect(outcome.errorLines.count == 2 && outcome.errorLines[0].hasPrefix("bad.png: "))
        #expect(outcome.errorLines.last?.hasPrefix("Error: 1 of the images") == true)
        #expect(FileManager.default.fileExists(atPath: scratch.path("run/model/config.json")))
    }

    @Test func strictRunsStop() throws {
        try scratch.write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1, 2], to: "data/bad.png")
        #expect(try pretrain("--steps", "12", "--strict", "--quiet").status == 65)
    }

    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 143)] as [(Int32, Int32)])
    func aSignalLeavesACheckpoint(number: Int32, status: Int32) throws {
        let run = try Vit.Run(
            ["pretrain", "data", "--output", "run", "--steps", "100000000"] + options, in: scratch)
        scratch.waitForCheckpoint(of: run)
        kill(run.process.processIdentifier, number)
        let outcome = try run.wait()
        #expect(outcome.status == status)
        #expect(outcome.errors.contains("continue with --resume"))
        let step = outcome.errors.split(separator: "step ").last?.prefix { $0.isNumber } ?? ""
        #expect(FileManager.default.fileExists(atPath: scratch.path("run/checkpoints/\(step)/state.json")))
    }

    /// A plan leaves nothing, and does not speak of checkpoints.
    @Test func aPlanMayBeInterrupted() throws {
        let run = try Vit.Run(
            [
                "pretrain", "data", "--output", "run", "--plan", "--arch", "vit-small", "--image-size", "128",
                "--patch-size", "4", "--threads", "1", "--quiet",
            ], in: scratch)
        let status = "/proc/\(run.process.processIdentifier)/status"
        // Once it waits for signals, it blocks them.
        while run.process.isRunning {
            let lines = ((try? String(contentsOfFile: status, encoding: .utf8)) ?? "").split(separator: "\n")
            let mask = lines.first { $0.hasPrefix("SigBlk:") }?.split(separator: "\t").last ?? ""
            if (UInt64(mask, radix: 16) ?? 0) >> (SIGINT - 1) & 1 == 1 { break }
            usleep(1000)
        }
        kill(run.process.processIdentifier, SIGINT)
        let outcome = try run.wait()
        #expect(outcome.status == 130 && outcome.output.isEmpty)
        #expect(
            outcome.errorLines == ["Stopping after the step that is being timed; interrupt again to stop at once."])
        #expect(try scratch.names == ["data"])
    }

    @Test func helpStatesItsOwnDefaults() throws {
        let outcome = try Vit.run(["pretrain", "--help"], in: scratch)
        #expect(try Vit.run(["help", "pretrain"], in: scratch).output == outcome.output)
        let help = outcome.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for part in [
            "Number of passes over the data. (default: 800, rotation 100)",
            "scaled with the batch size. (default: none, rotation 0.0005)",
            "How the masked patches are drawn. (mae only; values: random, block, grid; default: random)",
            "--method <method>", "METHOD: --decoder-width <n>", "CHECKPOINTS AND LOGS: --checkpoint-every <n>",
        ] {
            #expect(help.contains(part), "\(part)")
        }
        #expect(!help.contains("--mixup") && !help.contains("1e-06)"))
    }

    @Test func argumentsAreReadAsByEveryCommand() throws {
        let usage = """
            Usage: vit pretrain [<options>] <data> --output <run>
              See 'vit pretrain --help' for more information.

            """
        for (arguments, message) in [
            (
                ["--epochs", "many"],
                "The value 'many' is invalid for '--epochs <x>': expected a number from 0 to 1000000000000"
            ),
            (["--epochs"], "Missing value for '--epochs <x>'"),
            (["--epoch", "3"], "Unknown option '--epoch'. Did you mean '--epochs'?"),
            (["--strict=yes"], "The option '--strict' does not take any value, but 'yes' was specified."),
            (
                ["--sampling", "all"],
                "The value 'all' is invalid for '--sampling <sampling>': expected random, block or grid"
            ),
            (
                ["--method", "none"],
                "The value 'none' is invalid for '--method <method>'. Please provide"
            ),
        ] {
            let outcome = try Vit.run(["pretrain", "data", "--output", "run"] + arguments, in: scratch)
            #expect(outcome.status == 64 && outcome.output.isEmpty)
            #expect(
                outcome.errors.hasPrefix("Error: \(message)") && outcome.errors.hasSuffix(usage), "\(outcome.errors)")
        }
        #expect(try pretrain("--steps=2", "--method=mae", "--strict").status == 0)
        let settings = String(decoding: try scratch.read("run/config.json"), as: UTF8.self)
        #expect(settings.contains("\"steps\": 2,") && settings.contains("\"strict\": true"))
        #expect(settings.hasPrefix("{\n  \"method\": \"mae\",\n  \"data\": \"data\","))
    }

    @Test func aRunResumesByItsOwnMethod() throws {
        #expect(try pretrain("--steps", "2").status == 0)
        #expect(try Vit.run(["pretrain", "data", "--output", "run", "--resume"], in: scratch).status == 0)
        let outcome = try Vit.run(["finetune", "data", "--output", "run", "--resume"], in: scratch)
        #expect(outcome.status == 64 && outcome.errors.contains("the run's method is mae"), "\(outcome.errors)")
    }

    @Test func endsAsTheContractSays() throws {
        #expect(try pretrain("--mask-ratio", "2").status == 64)
        #expect(try pretrain("--epochs", "3", "--steps", "3").status == 64)
        #expect(try pretrain("--cache-memory", "much").status == 64)
        #expect(try pretrain("--init", "nowhere").status == 66)
        #expect(try Vit.run(["pretrain", "nowhere", "--output", "run"], in: scratch).status == 66)
        #expect(try scratch.names == ["data"])
        #expect(try pretrain("--steps", "2", "--lr", "1e30", "--warmup-epochs", "0").status == 65)
        #expect(try pretrain("--steps", "2").status == 73)
        #expect(try Vit.run(["pretrain", "data", "--output", "data/0.png"] + options, in: scratch).status == 73)
    }
}
