import Datasets
import Foundation
import Imaging
import Models
import Randomness

import Support
import Training

/// A folder that is gone with the test.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "vit-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A folder of small pictures and a tiny model for them.
struct TinyRun {
    let folder: TemporaryFolder
    var data: String { folder.path + "/data" }
    var output: String { folder.path + "/run" }
    var options: MAEOptions

    /// `count` pictures of which the numbers `corrupt` are cut short.
    init(count: Int = 24, corrupt: Set<Int> = []) throws {
        folder = try TemporaryFolder()
        options = MAEOptions(data: folder.path + "/data")
        options.imageSize = Size(square: 16)
        options.patchSize = Size(square: 4)
        (options.width, options.depth, options.heads) = (16, 1, 2)
        (options.decoderWidth, options.decoderDepth, options.decoderHeads) = (8, 1, 2)
        options.steps = 30
        options.batchSize = 4
        options.rate = 1e-3
        options.warmupEpochs = 0.5
        options.checkpointEvery = 10
        options.logEvery = 4
        options.validationFraction = 0.2
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        for index in 0..<count { try write(index, isCorrupt: corrupt.contains(index)) }
    }

    /// A picture of random stripes under the name `index`.
    func write(_ index: Int, isCorrupt: Bool = false, seed: UInt64 = 1) throws {
        var random = CounterRandom(seed: seed, purpose: .synthetic, index: index)
        let colours = (0..<20).map { _ in (0..<3).map { _ in UInt8(random.integer(below: 256)) } }
        var pixels: [UInt8] = []
        for y in 0..<18 { for x in 0..<20 { pixels += colours[(x + index * y / 4) % 20] } }
        let file = Image(width: 20, height: 18, channels: 3, pixels: pixels).encodedPNG()
        try Files.write(isCorrupt ? Array(file.prefix(60)) : file, to: "\(data)/\(index).png")
    }

    /// Opens the run and trains; `stop` tells after how many steps it is interrupted.
    @discardableResult
    func train(
        stop: Int? = nil, resumes: Bool = false, allowsChangedData: Bool = false, threads: Int = 2,
        notes: Notes = Notes()
    ) throws -> RunResult {
        try trainRun(
            options, in: output, stop: stop, resumes: resumes, allowsChangedData: allowsChangedData, threads: threads,
            notes: notes)
    }

    /// The bytes of the result.
    func weights() throws -> [UInt8] { try Files.bytes(of: output + "/model/model.safetensors") }

    var checkpointSteps: [Int] { get throws { try RunDirectory(path: output).checkpointSteps } }
}

/// Opens a run and trains; `stop` is after how many steps it is interrupted.
@discardableResult
func trainRun<Own>(
    _ options: TrainingOptions<Own>, in output: String, stop: Int? = nil, resumes: Bool = false,
    allowsChangedData: Bool = false, threads: Int = 2, notes: Notes = Notes()
) throws -> RunResult {
    let steps = Steps()
    var observer = RunObserver()
    observer.progress = { steps.done = $0.step }
    observer.shouldStop = { stop.map { steps.done >= $0 } ?? false }
    observer.note = { notes.sentences.append($0) }
    observer.unreadable = { notes.unreadable.append($0.path) }
    return try TrainingRun.open(
        options, output: output, resumes: resumes, allowsChangedData: allowsChangedData, threads: threads,
        observer: observer
    ).train()
}

/// What a run told.
final class Notes {
    var sentences: [String] = []
    var unreadable: [String] = []
}

final class Steps { var done = 0 }

/// The largest difference of two lists; infinite where they differ in length.
func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
}
