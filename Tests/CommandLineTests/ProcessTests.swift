import Foundation
import Testing

/// `vit` as a launcher of MPI starts it, several times at once.
struct ProcessTests {
    private let scratch: Scratch

    /// The launchers that are installed, and can start anything here.
    private static let launchers: [URL] = ["mpirun.openmpi", "mpirun.mpich"].compactMap { name in
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return path.split(separator: ":").map { URL(fileURLWithPath: "\($0)/\(name)") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }.filter { launcher in
        guard let scratch = try? Scratch() else { return false }
        let outcome = try? launch(launcher, 2, ["true"], in: scratch)
        return outcome?.status == 0
    }

    private static let shape = [
        "--image-size", "16", "--patch-size", "4", "--width", "16", "--depth", "1", "--heads", "2", "--decoder-width",
        "8", "--decoder-depth", "1", "--decoder-heads", "2", "--threads", "1", "--validation-fraction", "0.2",
    ]

    init() throws {
        scratch = try Scratch()
        for seed in 0..<20 { try scratch.writeImage("data/\(seed).png", seed: seed) }
        try scratch.write("no image", to: "data/3.png")
    }

    /// Runs `vit` in `count` processes.
    private func launch(_ launcher: URL, _ count: Int, _ arguments: [String]) throws -> Vit.Outcome {
        try Self.launch(launcher, count, [Vit.executable.path] + arguments, in: scratch)
    }

    private static func launch(
        _ launcher: URL, _ count: Int, _ command: [String], in scratch: Scratch
    ) throws -> Vit.Outcome {
        let isOpenMPI = launcher.lastPathComponent.hasSuffix("openmpi")
        let options = (isOpenMPI ? ["--oversubscribe", "--bind-to", "none"] : []) + ["-n", "\(count)"]
        let environment = ["OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"]
        return try Vit.Run(
            options + command, in: scratch, environment: environment, executable: launcher
        ).wait()
    }

    private func pretrain(_ run: String, _ more: String...) -> [String] {
        ["pretrain", "data", "--output", run, "--steps", "5", "--batch-size", "2"] + Self.shape + more
    }

    @Test(.enabled(if: !launchers.isEmpty), arguments: launchers)
    func runsOfSeveralProcessesAreThoseOfOne(launcher: URL) throws {
        let alone = try Vit.run(pretrain("alone", "--accumulate", "4"), in: scratch)
        #expect(alone.status == 1)
        for count in [2, 4] {
            let shared = try launch(launcher, count, pretrain("run\(count)", "--accumulate", "\(4 / count)"))
            #expect(shared.status == 1, "\(shared.errors)")
            #expect(shared.errorLines.filter { $0.hasPrefix("3.png: ") }.count == 1, "\(shared.errors)")
            #expect(
                try scratch.read("run\(count)/model/model.safetensors") == scratch.read("alone/model/model.safetensors")
            )
        }
        let refused = try launch(launcher, 3, pretrain("run4", "--resume"))
        #expect(
            refused.status == 64 && refused.errors.contains("3 processes cannot share the 4 forward passes of a step"))
        let second = try launch(launcher, 2, pretrain("run4"))
        #expect(second.status == 73 && second.errorLines.filter { $0.contains("already holds a run") }.count == 1)
    }

    @Test(.enabled(if: !launchers.isEmpty), arguments: launchers)
    func imagesAreSharedOut(launcher: URL) throws {
        let model = ["--model", "hf-vit", "--batch-size", "3", "--threads", "1"]
        let classify = ["classify", "data", "--format", "csv", "--logits"]
        let alone = try Vit.run(classify + ["alone.npy"] + model, in: scratch)
        let shared = try launch(launcher, 3, classify + ["shared.npy"] + model)
        #expect(alone.status == 1 && shared.status == 1 && shared.output == alone.output, "\(shared.errors)")
        #expect(try scratch.read("shared.npy") == scratch.read("alone.npy"))
        let embed = try launch(launcher, 3, ["embed", "data", "--output", "shared-embeddings.npy"] + model)
        _ = try Vit.run(["embed", "data", "--output", "alone-embeddings.npy"] + model, in: scratch)
        #expect(embed.status == 1 && embed.errorLines.filter { $0.contains("data/3.png") }.count == 1)
        for file in ["npy", "index.csv", "errors.csv"] {
            #expect(try scratch.read("shared-embeddings.\(file)") == scratch.read("alone-embeddings.\(file)"))
        }
    }

    @Test(.enabled(if: !launchers.isEmpty), arguments: launchers)
    func aShareOfTheCoresIsNoShortage(launcher: URL) throws {
        let outcome = try launch(launcher, 2, ["classify", "data", "--model", "hf-vit", "--format", "csv"])
        #expect(outcome.status == 1 && !outcome.errors.contains("threads"), "\(outcome.errors)")
    }

    /// Training alone would be the wrong thing, four times.
    @Test func aMissingLibraryIsSaid() throws {
        let one = ["OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "4", "VIT_MPI_LIBRARY": "/none/libmpi.so"]
        let outcome = try Vit.run(pretrain("run"), in: scratch, environment: one)
        #expect(outcome.status == 69 && outcome.errorLines.count == 1)
        #expect(
            outcome.errors.contains("one of 4 processes, but no MPI library can be loaded")
                && outcome.errors.contains("/none/libmpi.so") && outcome.errors.contains("VIT_MPI_LIBRARY"))
        #expect(!FileManager.default.fileExists(atPath: scratch.path("run")))
        let other = try Vit.run(
            pretrain("run"), in: scratch, environment: one.merging(["VIT_MPI_LIBRARY": "libz.so.1"]) { $1 })
        #expect(other.status == 69 && other.errors.contains("libz.so.1: is no MPI library"))
    }

    @Test func processesThatRunAloneLoadNothing() throws {
        let one = ["PMI_RANK": "1", "PMI_SIZE": "2", "VIT_MPI_LIBRARY": "none"]
        #expect(try Vit.run(pretrain("run"), in: scratch, environment: one).status == 1)
        let shard = try Vit.run(
            ["embed", "data", "--model", "hf-vit", "--output", "part.csv", "--shard", "2/4"], in: scratch,
            environment: ["PMI_RANK": "1", "PMI_SIZE": "4", "VIT_MPI_LIBRARY": "/none/libmpi.so"])
        #expect(shard.status == 0, "\(shard.errors)")
    }

    /// Slurm's warning before the time limit.
    @Test func aWarningEndsWithACheckpoint() throws {
        let run = try Vit.Run(pretrain("run", "--checkpoint-every", "2") + ["--steps", "1000000"], in: scratch)
        scratch.waitForCheckpoint(of: run)
        kill(run.process.processIdentifier, SIGUSR1)
        let outcome = try run.wait()
        #expect(outcome.status == 143 && outcome.errors.contains("continue with --resume"), "\(outcome.errors)")
    }
}
