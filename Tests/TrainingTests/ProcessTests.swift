import Communication
import Datasets
import Models
import Support
import TestTools
import Testing

import Training

/// Runs that several processes share, which are threads here.
@Suite struct ProcessTests {
    /// What a run leaves, and what its processes report.
    fileprivate struct Outcome: Equatable {
        var weights: [UInt8] = []
        var state = ""
        var metrics: [String] = []
        var unreadable: [[String]] = []
        var results: [RunEnd] = []
    }

    fileprivate struct RunEnd: Equatable {
        let step: Int
        let unreadable: [String]
    }

    /// Trains in `count` processes; `stop`: which of them is asked to stop, and after how many steps.
    private static func train<Own>(
        _ options: TrainingOptions<Own>, in output: String, processes count: Int, passes: Int, resumes: Bool = false,
        threads: Int = 1, stop: (rank: Int, step: Int)? = nil
    ) throws -> Outcome {
        var options = options
        options.accumulate = passes / count
        let ends = try ThreadCommunicator.run(count) { [options] communicator in
            let (notes, steps) = (Notes(), Steps())
            var observer = RunObserver()
            observer.unreadable = { notes.unreadable.append($0.path) }
            observer.shouldStop = {
                guard let stop, stop.rank == communicator.rank else { return false }
                // Of several processes, each is asked within a step, and of one between two.
                steps.done += 1
                return steps.done >= stop.step + (communicator.isAlone ? 1 : 0)
            }
            let result = try TrainingRun.open(
                options, output: output, resumes: resumes, threads: threads, observer: observer, among: communicator
            ).train()
            return (RunEnd(step: result.step, unreadable: result.unreadable.map(\.path)), notes.unreadable)
        }
        var outcome = Outcome(unreadable: ends.map(\.1), results: ends.map(\.0))
        outcome.state = try checkpointState(output)
        outcome.weights = try Files.bytes(of: output + "/checkpoints/\(ends[0].0.step)/model.safetensors")
        // What depends on the clock is left out.
        outcome.metrics = try MetricsLog.read(output + "/metrics.jsonl").map { line in
            "\(line.step) \(line.values.filter { $0.name != "images_per_second" })"
        }
        return outcome
    }

    private static func checkpointState(_ output: String) throws -> String {
        let step = try RunDirectory(path: output).checkpointSteps.last ?? 0
        return String(decoding: try Files.bytes(of: output + "/checkpoints/\(step)/state.json"), as: UTF8.self)
    }

    private static func pretraining() throws -> TinyRun {
        var run = try TinyRun(count: 60, corrupt: [3, 7, 20])
        (run.options.batchSize, run.options.steps, run.options.checkpointEvery) = (2, 9, 4)
        (run.options.augment, run.options.averageDecay) = (.crop, 0.9)
        return run
    }

    private static func finetuning() throws -> TinyClassRun {
        var run = try TinyClassRun(imagesPerClass: 20)
        (run.options.batchSize, run.options.steps, run.options.checkpointEvery) = (3, 7, 3)
        (run.options.mixup, run.options.cutmix, run.options.dropPath) = (0.8, 1, 0.3)
        (run.options.averageDecay, run.options.layerDecay, run.options.clip) = (0.9, 0.75, 0.5)
        return run
    }

    @Test(arguments: [(2, 1), (4, 2), (8, 1)])
    func pretrainingEndsInTheSameBits(processes: Int, threads: Int) throws {
        let run = try Self.pretraining()
        let alone = try Self.train(run.options, in: run.output, processes: 1, passes: 8)
        let shared = try Self.train(
            run.options, in: run.output + "-shared", processes: processes, passes: 8, threads: threads)
        #expect(shared.weights == alone.weights)
        #expect(shared.metrics == alone.metrics && shared.state == alone.state)
        // Process 0 alone names what cannot be read, as one process does, and all know it.
        #expect(shared.unreadable[0] == alone.unreadable[0] && !alone.unreadable[0].isEmpty)
        #expect(shared.unreadable.dropFirst().allSatisfy { $0.isEmpty })
        let known = alone.results[0].unreadable.filter { shared.results[1].unreadable.contains($0) }
        #expect(shared.results[0] == alone.results[0] && known == shared.results[1].unreadable && !known.isEmpty)
        #expect(try Files.bytes(of: run.output + "-shared/model/model.safetensors") == run.weights())
        #expect(
            try Files.bytes(of: run.output + "-shared/config.json") == Files.bytes(of: run.output + "/config.json"))
    }

    @Test(arguments: [2, 3, 6]) func finetuningEndsInTheSameBits(processes: Int) throws {
        let run = try Self.finetuning()
        let alone = try Self.train(run.options, in: run.output, processes: 1, passes: 6)
        let shared = try Self.train(run.options, in: run.output + "-shared", processes: processes, passes: 6)
        #expect(shared == Outcome(alone, processes: processes))
        for file in ["model/model.safetensors", "evaluation.json"] {
            #expect(try Files.bytes(of: run.output + "-shared/\(file)") == Files.bytes(of: run.output + "/\(file)"))
        }
    }

    @Test func rotationIsSharedToo() throws {
        let run = try Self.pretraining()
        var options = RotationOptions(data: run.data)
        options.imageSize = Size(square: 16)
        options.patchSize = Size(square: 4)
        (options.width, options.depth, options.heads) = (16, 1, 2)
        (options.batchSize, options.steps, options.validationFraction) = (2, 6, 0.2)
        let alone = try Self.train(options, in: run.output, processes: 1, passes: 4)
        let shared = try Self.train(options, in: run.output + "-shared", processes: 4, passes: 4)
        #expect(shared.weights == alone.weights && shared.metrics == alone.metrics && shared.state == alone.state)
    }

    /// Any process may be asked to stop, and any number of them may go on.
    @Test(arguments: [(1, 2, 0, 4), (2, 4, 1, 1), (8, 2, 7, 4), (4, 1, 0, 8)])
    func runsGoOnInAnotherNumberOfProcesses(first: Int, second: Int, asked: Int, third: Int) throws {
        let run = try Self.pretraining()
        let whole = try Self.train(run.options, in: run.output + "-whole", processes: 1, passes: 8)
        let stopped = try Self.train(
            run.options, in: run.output, processes: first, passes: 8, stop: (asked, 3))
        #expect(stopped.results.map(\.step) == Array(repeating: 3, count: first))
        let again = try Self.train(
            run.options, in: run.output, processes: second, passes: 8, resumes: true, stop: (0, 3))
        #expect(again.results[0].step == 6)
        let rest = try Self.train(run.options, in: run.output, processes: third, passes: 8, resumes: true)
        #expect(rest.weights == whole.weights && rest.metrics == whole.metrics && rest.state == whole.state)
    }

    @Test func passesThatCannotBeSharedAreRefused() throws {
        var run = try Self.pretraining()
        _ = try Self.train(run.options, in: run.output, processes: 1, passes: 6, stop: (0, 1))
        let error = try #require(throws: TrainingError.self) {
            _ = try ThreadCommunicator.run(4) { [options = run.options, output = run.output] communicator in
                _ = try TrainingRun.open(
                    options, output: output, resumes: true, observer: RunObserver(), among: communicator)
                return 0
            }
        }
        #expect(
            error.description
                == "4 processes cannot share the 6 forward passes of a step; expected 1, 2, 3 or 6 of them")
        run.options.accumulate = 6
        #expect(try run.options.plan(observer: RunObserver()).text.contains("1; 1, 2, 3 or 6 give the same weights"))
    }

    @Test func stepsNoLargerThanTheDataAreShared() throws {
        var run = try TinyRun(count: 10)
        (run.options.batchSize, run.options.steps, run.options.validationFraction) = (64, 2, 0)
        let outcome = try Self.train(run.options, in: run.output, processes: 2, passes: 2)
        #expect(outcome.results[0].step == 2)
        let json = try JSON.file(run.output + "/config.json")
        #expect(json["batch_size"]?.integer == 5 && json["accumulate"]?.integer == 2)
    }
}

extension ProcessTests.Outcome {
    /// The outcome of a run by one process, as several have it.
    fileprivate init(_ alone: Self, processes: Int) {
        self = alone
        unreadable = alone.unreadable + Array(repeating: [], count: processes - 1)
        results = Array(repeating: alone.results[0], count: processes)
    }
}
