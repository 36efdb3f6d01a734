import Foundation
import Support
import Testing

import Training

@Suite struct ResumeTests {
    @Test(arguments: [1, 7, 10, 29])
    func anInterruptedRunEndsInTheSameBits(stop: Int) throws {
        let whole = try TinyRun()
        #expect(try whole.train(threads: 1).isComplete)
        let broken = try TinyRun()
        let result = try broken.train(stop: stop)
        #expect(!result.isComplete && result.step == stop)
        #expect(broken.checkpointSteps.last == stop)
        #expect(try broken.train(resumes: true).isComplete)
        #expect(try broken.weights() == whole.weights())
    }

    @Test func averagedAndAccumulatedRunsResumeToo() throws {
        func run() throws -> TinyRun {
            var run = try TinyRun()
            run.options.accumulate = 2
            run.options.averageDecay = 0.9
            run.options.clip = 0.5
            return run
        }
        let (whole, broken) = (try run(), try run())
        try whole.train()
        try broken.train(stop: 13, threads: 1)
        try broken.train(stop: 20, resumes: true)
        try broken.train(resumes: true, threads: 1)
        #expect(try broken.weights() == whole.weights())
    }

    @Test func aKilledRunGoesOnFromItsLastCheckpoint() throws {
        let whole = try TinyRun()
        try whole.train()
        let broken = try TinyRun()
        try broken.train(stop: 17)
        // As if it had been killed before it could write the checkpoint of step 17, and while it wrote another.
        Files.remove("\(broken.output)/checkpoints/17")
        try FileManager.default.createDirectory(
            atPath: "\(broken.output)/checkpoints/.18.partial", withIntermediateDirectories: true)
        let metrics = try String(contentsOfFile: "\(broken.output)/metrics.jsonl", encoding: .utf8)
        try (metrics + "{\"step\": 17, \"lo").write(
            toFile: "\(broken.output)/metrics.jsonl", atomically: false, encoding: .utf8)
        try broken.train(resumes: true)
        #expect(try broken.weights() == whole.weights())
        #expect(!FileManager.default.fileExists(atPath: "\(broken.output)/checkpoints/.18.partial"))
        func steps(_ run: TinyRun) -> [Int] { MetricsLog.read("\(run.output)/metrics.jsonl").map(\.step) }
        #expect(steps(broken) == steps(whole))
        #expect(steps(broken) == [4, 8, 10, 12, 16, 20, 20, 24, 28, 30, 30])
    }

    @Test func aRunThatNeverSavedBeginsAgain() throws {
        let whole = try TinyRun()
        try whole.train()
        let broken = try TinyRun()
        try broken.train(stop: 0)
        #expect(broken.checkpointSteps.isEmpty)
        try broken.train(resumes: true)
        #expect(try broken.weights() == whole.weights())
    }

    @Test func lossesOfALineAreCountedOverAnInterruption() throws {
        let (whole, broken) = (try TinyRun(), try TinyRun())
        try whole.train()
        try broken.train(stop: 6)
        try broken.train(resumes: true)
        func losses(_ run: TinyRun) -> [Double] {
            MetricsLog.read("\(run.output)/metrics.jsonl").compactMap { line in
                line.values.first { $0.name == "loss" }?.value
            }
        }
        #expect(losses(broken) == losses(whole))
    }

    @Test func aFinishedRunStaysAsItIs() throws {
        let run = try TinyRun()
        try run.train()
        let weights = try run.weights()
        #expect(try run.train(resumes: true).isComplete)
        #expect(try run.weights() == weights)
    }

    @Test func anotherRunIsNeverWrittenOver() throws {
        let run = try TinyRun()
        try run.train(stop: 3)
        let error = #expect(throws: TrainingError.self) { try run.train() }
        #expect(error?.kind == .cannotCreate)
    }

    @Test func optionsThatChangeTheResultAreRefused() throws {
        var run = try TinyRun()
        try run.train(stop: 3)
        run.options.keep = 7
        try run.train(stop: 1, resumes: true)
        run.options.batchSize = 5
        let error = #expect(throws: TrainingError.self) { try run.train(resumes: true) }
        #expect(error?.kind == .usage)
        #expect(error?.description.contains("batch_size 4, not 5") == true)
    }

    @Test func changedDataAreRefusedUnlessAllowed() throws {
        let run = try TinyRun()
        try run.train(stop: 5)
        try run.write(0, seed: 2)
        try run.write(99)
        let error = #expect(throws: TrainingError.self) { try run.train(resumes: true) }
        #expect(error?.description.contains("25 images, 24 when the run began") == true)
        let notes = Notes()
        #expect(try run.train(resumes: true, allowsChangedData: true, notes: notes).isComplete)
        #expect(notes.sentences.contains { $0.contains("25 images") })
        // The run now goes by the new data.
        #expect(try run.train(resumes: true).isComplete)
    }

    @Test func twoProcessesCannotTrainInOneRun() throws {
        let folder = try TemporaryFolder()
        let directory = RunDirectory(path: folder.path + "/run")
        let lock = try directory.open()
        #expect(throws: TrainingError.self) { try directory.open() }
        withExtendedLifetime(lock) {}
    }

    /// A child has copies of all descriptors until it runs its own program.
    @Test func aCopyOfItsDescriptorDoesNotKeepARunLocked() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/run"
        let directory = RunDirectory(path: path)
        let copy = try { () throws -> Int32 in
            let lock = try directory.open()
            return try withExtendedLifetime(lock) { dup(try descriptor(of: path)) }
        }()
        defer { close(copy) }
        _ = try directory.open()
    }

    private func descriptor(of path: String) throws -> Int32 {
        let place = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let numbers = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
        return try #require(
            numbers.first { number in
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")) == place
            })
    }

    @Test(arguments: [(keep: 2, [20, 30]), (keep: 1, [30]), (keep: 0, [10, 20, 30])])
    func asManyCheckpointsAreKeptAsAskedFor(keep: Int, steps: [Int]) throws {
        var run = try TinyRun()
        run.options.keep = keep
        try run.train()
        #expect(run.checkpointSteps == steps)
    }
}
