import Foundation
import Models
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
        #expect(try broken.checkpointSteps.last == stop)
        #expect(try broken.train(resumes: true).isComplete)
        #expect(try broken.weights() == whole.weights())
    }

    /// A count that no run reaches is no state, and nothing is added to it.
    @Test(arguments: [-1, 8, Int.max]) func statesOfImpossibleCountsAreRefused(lossCount: Int) throws {
        let run = try TinyRun()
        try run.train(stop: 7)
        let path = run.output + "/checkpoints/7/state.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let forged = text.replacing(#/"loss_count": \d+/#, with: "\"loss_count\": \(lossCount)")
        #expect(forged != text)
        try forged.write(toFile: path, atomically: true, encoding: .utf8)
        let error = try #require(throws: TrainingError.self) { try run.train(resumes: true) }
        #expect(error.description.contains("is not the state of a run"))
    }

    @Test func averagedAndAccumulatedRunsInBFloat16ResumeToo() throws {
        func run() throws -> TinyRun {
            var run = try TinyRun()
            run.options.accumulate = 2
            run.options.precision = .bfloat16
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
        try Files.remove("\(broken.output)/checkpoints/17")
        let left = [
            "checkpoints/.18.partial", "checkpoints/.3.7.partial", ".report.html.7.partial", ".config.json.7.partial",
            "reconstructions/.5.jpg.7.partial", ".model.7.partial",
        ]
        for name in left {
            try FileManager.default.createDirectory(
                atPath: "\(broken.output)/\(name)", withIntermediateDirectories: true)
        }
        let metrics = try String(contentsOfFile: "\(broken.output)/metrics.jsonl", encoding: .utf8)
        try (metrics + "{\"step\": 17, \"lo").write(
            toFile: "\(broken.output)/metrics.jsonl", atomically: false, encoding: .utf8)
        try broken.train(resumes: true)
        #expect(try broken.weights() == whole.weights())
        for name in left { #expect(!FileManager.default.fileExists(atPath: "\(broken.output)/\(name)")) }
        func steps(_ run: TinyRun) throws -> [Int] { try MetricsLog.read("\(run.output)/metrics.jsonl").map(\.step) }
        #expect(try steps(broken) == steps(whole))
        #expect(try steps(broken) == [4, 8, 10, 12, 16, 20, 20, 24, 28, 30, 30])
    }

    @Test func aRunThatNeverSavedBeginsAgain() throws {
        let whole = try TinyRun()
        try whole.train()
        let broken = try TinyRun()
        try broken.train(stop: 0)
        #expect(try broken.checkpointSteps.isEmpty)
        try broken.train(resumes: true)
        #expect(try broken.weights() == whole.weights())
    }

    @Test func lossesOfALineAreCountedOverAnInterruption() throws {
        let (whole, broken) = (try TinyRun(), try TinyRun())
        try whole.train()
        try broken.train(stop: 6)
        try broken.train(resumes: true)
        func losses(_ run: TinyRun) throws -> [Double] {
            try MetricsLog.read("\(run.output)/metrics.jsonl").compactMap { line in
                line.values.first { $0.name == "loss" }?.value
            }
        }
        #expect(try losses(broken) == losses(whole))
    }

    @Test func aFinishedRunStaysAsItIs() throws {
        let run = try TinyRun()
        try run.train()
        let weights = try run.weights()
        #expect(try run.train(resumes: true).isComplete)
        #expect(try run.weights() == weights)
    }

    /// What a kill leaves behind after the last checkpoint goes when the run is opened again.
    @Test func aFinishedRunRemovesOldCheckpoints() throws {
        var run = try TinyRun()
        run.options.keep = 1
        try run.train()
        try FileManager.default.copyItem(
            atPath: "\(run.output)/checkpoints/30", toPath: "\(run.output)/checkpoints/20")
        try run.train(resumes: true)
        #expect(try run.checkpointSteps == [30])
    }

    /// The checkpoint of the last step says that all is done; whoever finds it finds the result, too.
    @Test func theResultComesBeforeTheLastCheckpoint() throws {
        var (whole, broken) = (try TinyRun(), try TinyRun())
        for run in [whole, broken] { try run.train() }
        let shorter = try broken.weights()
        (whole.options.steps, broken.options.steps) = (35, 35)
        try whole.train(resumes: true)
        var observer = RunObserver()
        let place = "\(broken.output)/checkpoints/35"
        observer.progress = { if $0.step == 35 { try? Files.write("in the way", to: place) } }
        #expect(throws: FileError.self) {
            try TrainingRun.open(broken.options, output: broken.output, resumes: true, observer: observer).train()
        }
        #expect(try broken.weights() != shorter && broken.weights() == whole.weights())
    }

    @Test func aRunThatIsMovedWritesNothingElsewhere() throws {
        let run = try TinyRun()
        var observer = RunObserver()
        let (place, moved) = (run.output, run.folder.path + "/moved")
        observer.progress = { if $0.step == 12 { try? FileManager.default.moveItem(atPath: place, toPath: moved) } }
        let error = #expect(throws: TrainingError.self) {
            try TrainingRun.open(run.options, output: place, resumes: false, observer: observer).train()
        }
        #expect(error?.kind == .inputOutput)
        #expect(error?.description.hasPrefix("\(place): was moved, removed or unmounted") == true)
        #expect(!FileManager.default.fileExists(atPath: place))
        let whole = try TinyRun()
        try whole.train()
        try FileManager.default.moveItem(atPath: moved, toPath: place)
        #expect(try run.train(resumes: true).isComplete)
        #expect(try run.weights() == whole.weights())
    }

    /// Another process may begin and end a run while this one reads its images.
    @Test func aRunThatBeganMeanwhileIsNotWrittenOver() throws {
        let run = try TinyRun()
        var observer = RunObserver()
        let settings = "\(run.output)/config.json"
        observer.note = { _ in
            try? Files.makeDirectory(run.output)
            try? Files.write("another's", to: settings)
        }
        let error = #expect(throws: TrainingError.self) {
            try TrainingRun.open(run.options, output: run.output, resumes: false, observer: observer)
        }
        #expect(error?.kind == .cannotCreate && error?.description.contains("already holds a run") == true)
        #expect(try Files.bytes(of: settings) == Array("another's".utf8))
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
        #expect(error?.description.contains("--batch-size 4, not 5; leave the option out") == true)
    }

    /// A run of earlier versions, which records no precision, is one of float32.
    @Test func precisionIsRecordedAndStays() throws {
        var (exact, rounded) = (try TinyRun(), try TinyRun())
        rounded.options.precision = .bfloat16
        try exact.train(stop: 3)
        try rounded.train(stop: 3)
        let weights = "checkpoints/3/model.safetensors"
        #expect(
            try Files.bytes(of: "\(exact.output)/\(weights)") != Files.bytes(of: "\(rounded.output)/\(weights)"))
        let settings = try String(contentsOfFile: "\(rounded.output)/config.json", encoding: .utf8)
        #expect(settings.contains("\"precision\": \"bfloat16\""))
        rounded.options.precision = .float32
        let error = #expect(throws: TrainingError.self) { try rounded.train(resumes: true) }
        #expect(error?.description.contains("--precision bfloat16, not float32; leave the option out") == true)
        let old = try String(contentsOfFile: "\(exact.output)/config.json", encoding: .utf8)
            .components(separatedBy: "\n").filter { !$0.contains("precision") }.joined(separator: "\n")
        try old.write(toFile: "\(exact.output)/config.json", atomically: false, encoding: .utf8)
        exact.options.precision = .bfloat16
        #expect(throws: TrainingError.self) { try exact.train(resumes: true) }
        exact.options.precision = nil
        #expect(try exact.train(resumes: true).isComplete)
    }

    @Test func refusalsNameTheOptionThatWasGiven() throws {
        var run = try TinyRun()
        try run.train(stop: 3)
        run.options.steps = nil
        for (epochs, part) in [(2.0, "--steps 30, and --epochs 2 makes it"), (0.01, "without a single step")] {
            run.options.epochs = epochs
            let error = #expect(throws: TrainingError.self) { try run.train(resumes: true) }
            #expect(error?.description.contains(part) == true, "\(String(describing: error))")
        }
        run.options.epochs = nil
        run.options.architecture = .small
        (run.options.width, run.options.depth, run.options.heads) = (nil, nil, nil)
        let error = #expect(throws: TrainingError.self) { try run.train(resumes: true) }
        #expect(
            error?.description.contains("--width 16, and --arch vit-small makes it 384; leave --arch out") == true,
            "\(String(describing: error))")
    }

    @Test(arguments: [7, 30])
    func moreStepsMakeARunLonger(stop: Int) throws {
        var run = try TinyRun()
        try run.train(stop: stop == 30 ? nil : stop)
        run.options.steps = 40
        let notes = Notes()
        #expect(try run.train(stop: stop + 3, resumes: true, notes: notes).step == stop + 3)
        #expect(
            notes.sentences.contains { $0.contains("40 steps") && $0.contains("instead of 30") }, "\(notes.sentences)")
        // The new length is the run's, also where it is not asked for again.
        run.options.steps = nil
        let end = try run.train(resumes: true)
        #expect(end.isComplete && end.step == 40)
        let rates = try MetricsLog.read("\(run.output)/metrics.jsonl").compactMap { line in
            line.values.first { $0.name == "lr" }.map { (line.step, $0.value) }
        }
        let recorded = try JSON.file(run.output + "/config.json")
        #expect(recorded["steps"]?.integer == 40)
        let warmup = try #require(recorded["warmup_steps"]?.integer)
        let schedule = LearningRateSchedule(peak: 1e-3, minimum: 0, warmupSteps: warmup, totalSteps: 40)
        #expect(rates.last?.0 == 40 && abs((rates.last?.1 ?? 1) - schedule.rate(at: 39)) < 1e-9)
    }

    @Test func theResultOfALongerRunIsItsLastModel() throws {
        var run = try TinyRun()
        try run.train()
        let short = try run.weights()
        run.options.steps = 34
        try run.train(resumes: true)
        #expect(try run.weights() != short)
    }

    @Test func aCheckpointOpensAsTheModelThatItIs() throws {
        var run = try TinyRun()
        run.options.heads = 4
        run.options.decoderHeads = 4
        run.options.maskRatio = 0.5
        try run.train()
        let (saved, result) = try (
            Checkpoint.open(run.output + "/checkpoints/30"), Checkpoint.open(run.output + "/model")
        )
        // How positions are resampled and odd margins are cut are conventions of the layouts.
        var (model, preprocessing) = (try #require(saved.configuration as? MAEConfiguration), saved.preprocessing)
        model.encoder.positionInterpolation = .transformers
        preprocessing.cropRounding = result.preprocessing.cropRounding
        #expect(model == result.configuration as? MAEConfiguration && model.encoder.heads == 4)
        #expect(preprocessing == result.preprocessing && saved.assumptions.isEmpty, "\(saved.assumptions)")
        #expect(try Checkpoint.open(run.output).path == result.path)
        try Files.remove(run.output + "/model")
        #expect(try Checkpoint.open(run.output).path == saved.path)
        // The decoder of another target makes no images, and is left out as in the result.
        run.options.target = .mean
        try trainRun(run.options, in: run.output + "-mean")
        let encoder = try Checkpoint.open(run.output + "-mean/checkpoints/30")
        #expect((encoder.configuration as? ViTConfiguration)?.heads == 4)
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

    /// The file's lock alone keeps them out where a directory has none: NFS.
    @Test func anotherMachineCannotTrainInTheRunEither() throws {
        let folder = try TemporaryFolder()
        let directory = RunDirectory(path: folder.path + "/run")
        _ = try directory.open()
        let path = folder.path + "/run/.lock"
        try Files.write("node7, process 12\n", to: path)
        let lock = try FileLock.takeFile(path)
        let error = try #require(throws: TrainingError.self) { _ = try directory.open() }
        #expect(error.kind == .cannotCreate)
        #expect(error.description.contains("another process is training in it (node7, process 12)"))
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
        #expect(try run.checkpointSteps == steps)
    }
}
