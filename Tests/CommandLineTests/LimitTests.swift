import Foundation
import Testing

/// Limits that the system sets a process.
struct LimitTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        for seed in 0..<6 { try scratch.writeImage("data/\(seed % 2)/\(seed).png", seed: seed) }
    }

    /// Runs `vit` under a limit of the shell's `ulimit`.
    private func run(limit: String, _ arguments: [String]) throws -> Vit.Outcome {
        let run = try Vit.Run(
            ["-c", "ulimit \(limit) && exec \"$0\" \"$@\"", Vit.executable.path] + arguments, in: scratch,
            executable: URL(fileURLWithPath: "/bin/sh"))
        return try run.wait()
    }

    private static let training = [
        "--image-size", "16", "--patch-size", "8", "--width", "16", "--depth", "1", "--heads", "2", "--batch-size", "2",
        "--steps", "3", "--quiet",
    ]

    /// A stack that no address space holds: so no thread can be started.
    private static let noThreads = "-s 150000000000"

    private static let commands: [[String]] = [
        ["classify", "data", "--model", "hf-vit", "--format", "csv", "--threads", "64"],
        [
            "reconstruct", "data/0/0.png", "--model", Fixtures.checkpoint("hf-mae"), "--output", "out.png", "--threads",
            "3",
        ],
        ["embed", "data", "--model", "hf-vit", "--output", "rows.npy", "--threads", "3"],
        ["evaluate", "named", "--model", "hf-vit", "--format", "json", "--threads", "3"],
        ["attention", "data", "--model", "hf-vit", "--output", "maps", "--threads", "3"],
        ["probe", "data", "--model", "hf-vit", "--method", "knn", "--validation-fraction", "0.5", "--threads", "3"],
        ["inspect", Fixtures.checkpoint("hf-vit"), "--images", "data", "--output", "layers.html", "--threads", "3"],
        ["search", "index.npy", "0", "--threads", "3"], ["duplicates", "index.npy", "--threads", "3"],
        ["map", "index.npy", "--output", "map.html", "--threads", "3"],
    ]

    private static let trainings: [[String]] = [
        ["finetune", "data", "--output", "run"] + training.dropLast() + ["--threads", "4"],
        ["pretrain", "data", "--output", "run", "--method", "rotation"] + training.dropLast() + ["--threads", "4"],
        ["finetune", "data", "--output", "run", "--minutes", "0.01"] + training.dropLast(3) + ["--threads", "4"],
    ]

    @Test(arguments: commands + trainings)
    func aProcessMayHaveNoFurtherThread(_ arguments: [String]) throws {
        for seed in 0..<6 { try scratch.writeImage("named/\(seed % 2 == 0 ? "ant" : "bee")/\(seed).png", seed: seed) }
        #expect(try Vit.run(["embed", "data", "--model", "hf-vit", "--output", "index.npy"], in: scratch).status == 0)
        let given = Set(try scratch.names)
        let many = try Vit.run(arguments, in: scratch)
        #expect(many.status == 0 && !many.errors.contains("the system allows"), "\(many.errors)")
        for name in try scratch.names where !given.contains(name) {
            try FileManager.default.removeItem(atPath: scratch.path(name))
        }
        let one = try run(limit: Self.noThreads, arguments)
        #expect(one.status == 0, "\(one.errors)")
        #expect(one.output == many.output)
        let sentence = "Using 1 of \(try #require(arguments.last)) threads: the system allows no more."
        #expect(one.errorLines.filter { $0 == sentence }.count == 1, "\(one.errors)")
    }

    @Test func aQuietProcessDoesNotSayIt() throws {
        let outcome = try run(
            limit: Self.noThreads, ["classify", "data", "--model", "hf-vit", "--threads", "2", "--quiet"])
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    }

    @Test func aBenchmarkStatesTheThreadsThatWorked() throws {
        let outcome = try run(
            limit: Self.noThreads,
            [
                "benchmark", "--arch", "vit-tiny", "--image-size", "32", "--batch-size", "1", "--rounds", "1",
                "--threads", "3",
            ])
        #expect(outcome.status == 0 && outcome.output.contains("batches of 1, 1 threads, 1 rounds"))
    }

    /// Sizes that no memory holds, and sizes that are more than a process of 2 GB may have.
    @Test(arguments: [
        (["pretrain", "--width", "1048576"], "unlimited", "13.2 trillion"),
        (["pretrain", "--decoder-width", "1048576"], "unlimited", "13.2 trillion"),
        (["pretrain", "--method", "rotation", "--width", "65536", "--depth", "4096"], "unlimited", "211 trillion"),
        (["finetune", "--width", "8192"], "2000000", "80"),
        (["pretrain", "--width", "8192", "--plan"], "2000000", "81"),
        (["finetune", "--image-size", "8192", "--patch-size", "32", "--batch-size", "4"], "2000000", ""),
    ])
    func aModelThatMemoryCannotHoldIsRefused(_ options: [String], limit: String, parameters: String) throws {
        let more = options[0] == "pretrain" && !options.contains("rotation") ? ["--decoder-depth", "1"] : []
        let arguments = [options[0], "data", "--output", "run", "--threads", "1"] + Self.training + more
        let outcome = try run(limit: "-v \(limit)", arguments + options.dropFirst())
        #expect(outcome.status == 64, "\(outcome.errors)")
        #expect(outcome.errorLines.count == 1 && outcome.errors.hasPrefix("Error: the model has \(parameters)"))
        #expect(outcome.errors.contains(" of memory; this process may have "), "\(outcome.errors)")
        #expect(try scratch.names == ["data"])
    }

    @Test func aBatchThatMemoryCannotHoldIsRefused() throws {
        let outcome = try run(
            limit: "-v 1000000",
            ["embed", "data", "--output", "x.npy", "--model", "hf-vit", "--image-size", "512", "--batch-size", "4096"])
        #expect(outcome.status == 64, "\(outcome.errors)")
        #expect(outcome.errorLines.count == 1 && outcome.errors.contains("using it takes at least"))
        #expect(try scratch.names == ["data"])
    }

    @Test(arguments: [
        ["attention", "data", "--output", "maps"], ["inspect", "--images", "data", "--output", "layers.html"],
    ])
    func attentionThatMemoryCannotHoldIsRefused(_ arguments: [String]) throws {
        let model = arguments[0] == "inspect" ? [Fixtures.checkpoint("hf-vit")] : ["--model", "hf-vit"]
        let outcome = try run(limit: "-v 1500000", arguments + model + ["--image-size", "512"])
        #expect(outcome.status == 64, "\(outcome.errors)")
        #expect(outcome.errorLines.count == 1 && outcome.errors.contains("reading its attention takes at least"))
    }

    @Test(arguments: [
        ["--batch-size", "4096", "--image-size", "8192"], ["--arch", "vit-huge", "--image-size", "224"],
        ["--task", "finetune", "--arch", "vit-large", "--image-size", "224"],
        ["--task", "pretrain", "--arch", "vit-large", "--image-size", "224"],
    ])
    func aBenchmarkThatMemoryCannotHoldIsRefused(_ options: [String]) throws {
        let outcome = try run(limit: "-v 2000000", ["benchmark", "--arch", "vit-tiny", "--threads", "1"] + options)
        #expect(outcome.status == 64, "\(outcome.errors)")
        #expect(outcome.errorLines.count == 1 && outcome.errors.contains(" of memory; this process may have 2.0 GB"))
    }

    /// Around the largest number that there is, and beyond what makes sense.
    @Test(arguments: [
        ("pretrain", "--width"), ("pretrain", "--depth"), ("pretrain", "--heads"), ("pretrain", "--decoder-width"),
        ("pretrain", "--decoder-depth"), ("pretrain", "--decoder-heads"), ("pretrain", "--accumulate"),
        ("pretrain", "--batch-size"), ("pretrain", "--steps"), ("pretrain", "--epochs"), ("pretrain", "--minutes"),
        ("pretrain", "--warmup-epochs"), ("pretrain", "--keep"), ("pretrain", "--log-every"),
        ("pretrain", "--checkpoint-every"), ("pretrain", "--image-size"), ("pretrain", "--patch-size"),
        ("finetune", "--freeze"), ("benchmark", "--batch-size"), ("benchmark", "--rounds"),
        ("benchmark", "--image-size"),
        ("benchmark", "--patch-size"), ("classify", "--batch-size"), ("classify", "--image-size"), ("embed", "--layer"),
    ])
    func numbersHaveARange(command: String, option: String) throws {
        let inputs = command == "benchmark" ? [] : command == "embed" ? ["data", "--output", "x.npy"] : ["data"]
        let output = ["pretrain", "finetune"].contains(command) ? ["--output", "run", "--plan"] : []
        for value in ["9223372036854775807", "9223372036854775808", "1e308", "-1", "nan", ""] {
            let outcome = try Vit.run([command] + inputs + output + ["\(option)=\(value)"], in: scratch)
            #expect(outcome.status == 64, "\(option)=\(value): \(outcome.errors)")
            #expect(outcome.errors.hasPrefix("Error: "), "\(option)=\(value): \(outcome.errors)")
        }
        #expect(try scratch.names == ["data"])
    }
}
