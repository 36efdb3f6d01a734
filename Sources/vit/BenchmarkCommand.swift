import ArgumentParser
import Compute
import Models
import Support
import Training

struct BenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Time a model on random pixels.",
        discussion: """
            Examples:
              vit benchmark --arch vit-base --batch-size 8
              vit benchmark --arch vit-base --task pretrain --batch-size 16 --rounds 5 --format json
              vit benchmark --model charts-vit-tiny --threads 1

            The model has the shape of the checkpoint or architecture and random weights; the first pass is not counted.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Option(name: .shortAndLong, help: "Checkpoint whose shape is timed: a path or a name. (default: the built-in one)")
    var model: String?
    @Option(help: "Architecture to time instead of a checkpoint.")
    var arch: Architecture?
    @Option(help: ArgumentHelp("Image size, with --arch.", valueName: "pixels"))
    var imageSize = 224
    @Option(help: ArgumentHelp("Patch size, with --arch. (default: the architecture's)", valueName: "pixels"))
    var patchSize: Int?
    @Option(help: "What to time: a forward pass or a training step.")
    var task = ModelBenchmark.Task.classify
    @Option(help: ArgumentHelp("Number of images per forward pass.", valueName: "n"))
    var batchSize = 8
    @Option(help: ArgumentHelp("Number of timed rounds.", valueName: "n"))
    var rounds = 7
    @Flag(
        help:
            "Start a round at each line of standard input and print its milliseconds, to take turns with other programs."
    )
    var inTurns = false
    @Option(help: "Output format.")
    var format = Format.text
    @OptionGroup var hub: HubOptions
    @OptionGroup var precision: PrecisionOptions
    @OptionGroup var threads: ThreadOptions

    func validate() throws {
        if model != nil && arch != nil { throw ValidationError("Name --model or --arch, not both.") }
        try checkBatchSize(batchSize)
        if !(1...Self.mostRounds).contains(rounds) {
            throw ValidationError("--rounds takes a number from 1 to \(Self.mostRounds), not \(rounds)")
        }
        if task != .classify && precision.precision == .int8 {
            throw ValidationError("--precision int8 is for --task classify; training takes float32 or bfloat16")
        }
        if !(1...8192).contains(imageSize) || !(1...imageSize).contains(patchSize ?? 1) {
            throw ValidationError("--image-size takes 1 to 8192 pixels, and --patch-size no more than that")
        }
    }

    private static let mostRounds = 1_000_000

    func run() throws {
        Interruption.watch(removing: UnfinishedFiles())
        var benchmark = try arch.map { ModelBenchmark(try configuration(of: $0)) } ?? benchmarkOfCheckpoint()
        if benchmark.configuration.classCount == 0 { benchmark.configuration.classCount = 1000 }
        benchmark.task = task
        benchmark.batchSize = batchSize
        benchmark.rounds = rounds
        benchmark.precision = precision.precision
        benchmark.threads = threads.threads
        let output = StandardOutput()
        let outcome = try measure(benchmark, output)
        try output.write(format == .json ? json(outcome) : text(outcome))
        try output.flush()
    }

    private func measure(_ benchmark: ModelBenchmark, _ output: StandardOutput) throws -> ModelBenchmark.Outcome {
        guard inTurns else { return try benchmark.run() }
        var failure: (any Error)?
        let outcome = try benchmark.run(mayBegin: { failure == nil && readLine() != nil }) { milliseconds in
            do {
                try output.write("\(milliseconds)\n")
                try output.flush()
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return outcome
    }

    private func benchmarkOfCheckpoint() throws -> ModelBenchmark {
        let checkpoint = try Checkpoint.open(
            ModelLocation.find(model ?? ModelLocation.builtIn, hub: hub, isQuiet: true))
        var benchmark = ModelBenchmark(checkpoint.configuration.backbone)
        if let mae = checkpoint.configuration as? MAEConfiguration { benchmark.decoder = mae.decoder }
        return benchmark
    }

    private func configuration(of arch: Architecture) throws -> ViTConfiguration {
        let patch = patchSize ?? arch.shape.patch
        guard imageSize % patch == 0 else {
            throw CommandFailure(.usage, "--image-size \(imageSize) is not a multiple of --patch-size \(patch)")
        }
        var configuration = ViTConfiguration(arch)
        configuration.imageSize = Size(square: imageSize)
        configuration.patchSize = Size(square: patch)
        return configuration
    }

    private func json(_ outcome: ModelBenchmark.Outcome) -> String {
        let members: [JSON.Member] = [
            JSON.Member("task", .string(task.rawValue)),
            JSON.Member("precision", .string(precision.precision.rawValue)),
            JSON.Member("batch_size", .integer(batchSize)),
            JSON.Member("threads", .integer(outcome.threadCount)),
            JSON.Member("milliseconds_per_image", .array(outcome.millisecondsPerImage.map { .number($0) })),
            JSON.Member("gflops", .number(outcome.gflops)),
            JSON.Member("multiply_add_ceiling_gflops", .number(outcome.ceiling.multiplyAdds)),
            JSON.Member("matmul_ceiling_gflops", .number(outcome.ceiling.products)),
            JSON.Member("peak_memory_bytes", .integer(outcome.peakMemory)),
        ]
        return JSON.object(members).text() + "\n"
    }

    private func text(_ outcome: ModelBenchmark.Outcome) -> String {
        let sorted = outcome.millisecondsPerImage.sorted()
        func short(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
        func percent(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }
        return """
            \(task.rawValue) in \(precision.precision.rawValue), batches of \(batchSize), \(outcome.threadCount) threads, \(rounds) rounds
            milliseconds per image: median \(short(sorted[sorted.count / 2])), best \(short(sorted[0])), \
            worst \(short(sorted[sorted.count - 1]))
            \(short(outcome.gflops)) GFLOP/s, \(percent(outcome.gflops / outcome.ceiling.products)) of the best matrix product \
            here (\(short(outcome.ceiling.products))), \
            \(percent(outcome.gflops / outcome.ceiling.multiplyAdds)) of the cores' multiply-adds \
            (\(short(outcome.ceiling.multiplyAdds)))
            peak memory \(outcome.peakMemory >> 20) MB

            """
    }
}

extension ModelBenchmark.Task: ExpressibleByArgument {}
extension Architecture: ExpressibleByArgument {}
