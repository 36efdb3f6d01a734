import Datasets
import Foundation
import Models
import Support
import Testing

import Training

@Suite struct FailureTests {
    @Test func corruptFilesAreNamedOnceAndReplaced() throws {
        var run = try TinyRun(count: 30, corrupt: [3, 11, 17])
        run.options.validationFraction = 0
        let notes = Notes()
        let result = try run.train(notes: notes)
        #expect(result.isComplete)
        #expect(notes.unreadable.sorted() == ["11.png", "17.png", "3.png"])
        #expect(result.unreadable.count == 3)
    }

    @Test func corruptFilesDoNotShiftAResumedRun() throws {
        func run() throws -> TinyRun {
            var run = try TinyRun(count: 30, corrupt: [3, 11, 17])
            run.options.validationFraction = 0
            return run
        }
        let (whole, broken) = (try run(), try run())
        try whole.train()
        let (first, second) = (Notes(), Notes())
        try broken.train(stop: 12, notes: first)
        let result = try broken.train(resumes: true, notes: second)
        #expect((first.unreadable + second.unreadable).sorted() == ["11.png", "17.png", "3.png"])
        #expect(result.unreadable.count == 3)
        #expect(try broken.weights() == whole.weights())
    }

    @Test func strictRunsStopAtTheFirst() throws {
        var run = try TinyRun(count: 30, corrupt: [3, 11, 17])
        run.options.validationFraction = 0
        run.options.isStrict = true
        let error = #expect(throws: InputError.self) { try run.train() }
        #expect(error?.kind == .malformed)
    }

    @Test func aLossThatIsNoNumberStopsTheRun() throws {
        var run = try TinyRun()
        run.options.checkpointEvery = 1
        run.options.rate = 1e20
        run.options.warmupEpochs = 0
        let error = #expect(throws: TrainingError.self) { try run.train() }
        let text = error?.description ?? ""
        #expect(text.contains("in step 2") || text.contains("in step 3"), "\(text)")
        #expect(text.contains(".png") && text.contains("the last good checkpoint is \(run.output)/checkpoints/"))
    }

    @Test func aStepOfFewImagesTakesAllOfThem() throws {
        var run = try TinyRun(count: 5)
        (run.options.batchSize, run.options.validationFraction, run.options.rate) = (64, 0, nil)
        let notes = Notes()
        #expect(try run.train(notes: notes).isComplete)
        #expect(notes.sentences.contains { $0.contains("has 5 images to train on, fewer than the 64 of a step") })
        let recorded = try JSON.file(run.output + "/config.json")
        #expect(
            recorded["batch_size"]?.integer == 5
                && recorded["lr"]?.double == LearningRateSchedule.maskedAutoencoding(effectiveBatch: 5))
    }

    @Test(
        arguments: [
            { $0.maskRatio = 1 }, { $0.maskRatio = 0 }, { $0.maskRatio = 0.99 }, { $0.patchSize = Size(square: 5) },
            { $0.heads = 3 },
            { $0.width = 18 }, { $0.steps = 0 }, { $0.batchSize = 0 }, { $0.rate = -1 }, { $0.rate = .nan },
            { $0.inputChannels = 5 }, { $0.averageDecay = 1 }, { $0.logEvery = 0 }, { $0.checkpointEvery = 0 },
            { $0.decoderHeads = 3 }, { $0.epochs = .nan }, { $0.warmupEpochs = -1 }, { $0.accumulate = 1 << 40 },
        ] as [@Sendable (inout MAEOptions) -> Void])
    func senselessOptionsAreRefused(change: @Sendable (inout MAEOptions) -> Void) throws {
        var run = try TinyRun()
        change(&run.options)
        let error = #expect(throws: TrainingError.self) { try run.train() }
        #expect(error?.kind == .usage)
        #expect(!FileManager.default.fileExists(atPath: run.output))
    }
}
