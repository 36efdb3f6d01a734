import Foundation
import Imaging
import Models
import Randomness

import Support
import Training

/// A folder of small pictures in class folders, told apart by their colours, and a tiny model for them.
struct TinyClassRun {
    let folder: TemporaryFolder
    var data: String { folder.path + "/data" }
    var output: String { folder.path + "/run" }
    var options: ClassificationOptions

    static let classes = ["blue", "green", "red"]

    init(imagesPerClass: Int = 12) throws {
        folder = try TemporaryFolder()
        options = ClassificationOptions(data: folder.path + "/data")
        options.imageSize = Size(square: 16)
        options.patchSize = Size(square: 4)
        (options.width, options.depth, options.heads) = (16, 2, 2)
        options.steps = 18
        options.batchSize = 4
        options.rate = 2e-3
        options.warmupEpochs = 0.5
        options.checkpointEvery = 5
        options.logEvery = 4
        options.validationFraction = 0.25
        for (label, name) in Self.classes.enumerated() {
            for index in 0..<imagesPerClass { try write("\(name)/\(index).png", label: label, seed: UInt64(index)) }
        }
    }

    /// A picture with a stripe of its class's colour on noise.
    func write(_ name: String, label: Int, seed: UInt64) throws {
        var random = CounterRandom(seed: seed, purpose: .synthetic, index: label)
        var pixels: [UInt8] = []
        for y in 0..<18 {
            for _ in 0..<20 {
                for channel in 0..<3 {
                    let isStripe = (4..<14).contains(y)
                    pixels.append(UInt8(random.integer(below: 90)) + (isStripe && channel == 2 - label ? 160 : 0))
                }
            }
        }
        try Files.makeDirectory("\(data)/\(Files.directory(of: name))")
        try Files.write(
            Image(width: 20, height: 18, channels: 3, pixels: pixels).encodedPNG(), to: "\(data)/\(name)")
    }

    /// Opens the run and trains; `stop` tells after how many steps it is interrupted.
    @discardableResult
    func train(stop: Int? = nil, resumes: Bool = false, threads: Int = 2, notes: Notes = Notes()) throws -> RunResult {
        try trainRun(options, in: output, stop: stop, resumes: resumes, threads: threads, notes: notes)
    }

    /// The bytes of the weights that the last step left, and of the result.
    func weights() throws -> [[UInt8]] {
        let last = try RunDirectory(path: output).checkpointSteps.last ?? 0
        return try [
            Files.bytes(of: output + "/model/model.safetensors"),
            Files.bytes(of: output + "/checkpoints/\(last)/model.safetensors"),
        ]
    }
}
