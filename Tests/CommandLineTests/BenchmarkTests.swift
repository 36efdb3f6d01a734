import Foundation
import Testing

@Suite struct BenchmarkTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private struct Report: Decodable {
        let task: String
        let batch_size: Int
        let threads: Int
        let milliseconds_per_image: [Double]
        let gflops: Double
        let multiply_add_ceiling_gflops: Double
        let matmul_ceiling_gflops: Double
        let peak_memory_bytes: Int
    }

    @Test(arguments: ["classify", "pretrain", "finetune"])
    func reportsAValueARound(task: String) throws {
        let outcome = try Vit.run(
            [
                "benchmark", "--arch", "vit-tiny", "--image-size", "32", "--task", task, "--batch-size", "2",
                "--rounds", "3", "--threads", "2", "--format", "json",
            ], in: scratch)
        #expect(outcome.status == 0)
        let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
        #expect(report.task == task)
        #expect(report.batch_size == 2)
        #expect(report.threads == 2)
        #expect(report.milliseconds_per_image.count == 3)
        #expect(report.milliseconds_per_image.allSatisfy { $0 > 0 })
        #expect(report.gflops > 0)
        #expect(report.multiply_add_ceiling_gflops > 0)
        #expect(report.matmul_ceiling_gflops > 0)
        #expect(report.peak_memory_bytes > 1 << 20)
    }

    @Test func takesTurns() throws {
        let outcome = try Vit.run(
            [
                "benchmark", "--arch", "vit-tiny", "--image-size", "32", "--batch-size", "1", "--rounds", "5",
                "--threads", "1", "--in-turns", "--format", "json",
            ], in: scratch, input: Array("\n\n".utf8))
        #expect(outcome.status == 0)
        let text = outcome.output
        let start = try #require(text.firstIndex(of: "{"))
        let report = try JSONDecoder().decode(Report.self, from: Data(text[start...].utf8))
        #expect(text[..<start].split(separator: "\n").map { Double($0) } == report.milliseconds_per_image)
        #expect(report.milliseconds_per_image.count == 2)
    }

    /// The default decoder alone, eight blocks of width 512, would take more.
    @Test func trainsTheDecoderOfTheCheckpoint() throws {
        let repository = (0..<3).reduce(URL(filePath: #filePath)) { file, _ in file.deletingLastPathComponent() }
        let outcome = try Vit.run(
            [
                "benchmark", "--model", repository.appending(path: "checkpoints/eurosat-mae-small").path, "--task",
                "pretrain", "--batch-size", "2", "--rounds", "1", "--threads", "2", "--format", "json",
            ], in: scratch)
        #expect(outcome.status == 0)
        let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
        #expect(report.peak_memory_bytes < 250 << 20)
    }

    private func status(_ model: String, _ task: String) throws -> (code: Int32, errors: String) {
        let outcome = try Vit.run(
            [
                "benchmark", "--model", Fixtures.checkpoint(model), "--task", task, "--batch-size", "2", "--rounds",
                "1", "--threads", "1",
            ], in: scratch)
        return (outcome.status, outcome.errors)
    }

    /// Distillation and register tokens, layer scale and means are trained, too.
    @Test(arguments: [
        "deit-distilled/deit_distilled.pth", "hf-dinov2-registers", "timm-deit3", "timm-mean-pooled", "timm-registers",
    ])
    func timesTheTrainingOfEveryClassifier(model: String) throws {
        let outcome = try status(model, "finetune")
        #expect(outcome.code == 0, "\(outcome.errors)")
    }

    @Test func refusesWhatCannotBeTrained() throws {
        let outcome = try status("deit-distilled/deit_distilled.pth", "pretrain")
        #expect(outcome.code == 64)
        #expect(outcome.errors.hasPrefix("Error: --task pretrain: the model cannot be trained: it is no plain Vision"))
        #expect(try status("mae-full/mae_visualize_vit_tiny.pth", "pretrain").code == 0)
    }

    @Test func trainingIsNotTimedInInt8() throws {
        let outcome = try Vit.run(
            ["benchmark", "--arch", "vit-tiny", "--task", "finetune", "--precision", "int8"], in: scratch)
        let rounded = try Vit.run(
            [
                "benchmark", "--arch", "vit-tiny", "--image-size", "32", "--task", "pretrain", "--precision",
                "bfloat16",
                "--batch-size", "2", "--rounds", "1",
            ], in: scratch)
        #expect(rounded.status == 0 && rounded.output.contains("pretrain in bfloat16"), "\(rounded.errors)")
        #expect(
            outcome.status == 64 && outcome.errors.contains("training takes float32 or bfloat16"), "\(outcome.errors)")
    }

    @Test func refusesPatchesThatDoNotDivideThePicture() throws {
        let outcome = try Vit.run(["benchmark", "--arch", "vit-tiny", "--image-size", "40"], in: scratch)
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("16"))
    }
}
