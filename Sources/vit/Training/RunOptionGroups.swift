import ArgumentParser
import Models
import Support
import Training

/// The encoder and its pictures, as every training command takes them.
struct EncoderOptions: ParsableArguments {
    @Option(help: "The encoder: vit-tiny, vit-small, vit-base, vit-large or vit-huge. (default: vit-tiny)")
    var arch: Architecture?

    @Option(name: .customLong("init"), help: ArgumentHelp("Begin with the weights of this checkpoint.", valueName: "m"))
    var initial: String?

    @Option(help: "The length of a token, instead of the architecture's.")
    var width: Int?

    @Option(help: "The number of blocks, instead of the architecture's.")
    var depth: Int?

    @Option(help: "The number of attention heads, instead of the architecture's.")
    var heads: Int?

    @Option(help: ArgumentHelp("Pixels of a side, or HEIGHTxWIDTH. (default: 224)", valueName: "pixels"))
    var imageSize: Sides?

    @Option(help: ArgumentHelp("Pixels of a side, or HEIGHTxWIDTH. (default: 16, vit-huge 14)", valueName: "pixels"))
    var patchSize: Sides?

    @Option(help: "Colour channels, 1 to 4. (default: what the pictures have)")
    var channels: Int?

    func fill(_ options: inout RunOptions) throws {
        options.architecture = arch
        options.initial = try initial.map { try ModelLocation.find($0) }
        (options.width, options.depth, options.heads) = (width, depth, heads)
        options.imageSize = imageSize?.extent
        options.patchSize = patchSize?.extent
        options.channels = channels
    }
}

/// Steps and their sizes.
struct OptimizationOptions: ParsableArguments {
    @Option(help: "Passes over the data. (default: pretrain 800, finetune 100)")
    var epochs: Double?

    @Option(help: "Steps, instead of epochs.")
    var steps: Int?

    @Option(help: "Pictures computed at once. (default: 64)")
    var batchSize: Int?

    @Option(help: "Batches in a step. (default: 1)")
    var accumulate: Int?

    @Option(help: "The learning rate for a batch of 256; grows with it. (default: pretrain 0.00015, finetune 0.0005)")
    var blr: Double?

    @Option(help: "The learning rate itself, whatever the batch.")
    var lr: Double?

    @Option(help: "Where the rate comes down to. (default: pretrain 0, finetune 0.000001)")
    var minLr: Double?

    @Option(help: "Epochs in which the rate rises from 0. (default: a twentieth of the run, finetune at most 5)")
    var warmupEpochs: Double?

    @Option(help: "AdamW's decay of matrices. (default: 0.05)")
    var weightDecay: Double?

    @Option(help: "Bring the gradients' norm down to this. (default: 0, never)")
    var clip: Double?

    @Option(help: "The result is a moving average of the weights with this decay. (default: 0, the weights themselves)")
    var ema: Double?

    @Option(help: "Decides weights, order, and all else that is random.")
    var seed: UInt64?

    func validate() throws {
        if epochs != nil, steps != nil { throw ValidationError("Name --epochs or --steps, not both.") }
    }

    func fill(_ options: inout RunOptions) {
        options.epochs = epochs
        options.steps = steps
        options.batchSize = batchSize
        options.accumulate = accumulate
        options.baseRate = blr
        options.rate = lr
        options.minimumRate = minLr
        options.warmupEpochs = warmupEpochs
        options.weightDecay = weightDecay
        options.clip = clip
        options.averageDecay = ema
        options.seed = seed
    }
}

/// What does not change the result.
struct UpkeepOptions: ParsableArguments {
    @Option(help: "Steps between two checkpoints. (default: a twentieth of the run, at most 1000)")
    var checkpointEvery: Int?

    @Option(help: "Checkpoints kept; 0 keeps all. (default: 2)")
    var keep: Int?

    @Option(help: "Steps between two lines of metrics. (default: 10)")
    var logEvery: Int?

    @Option(help: ArgumentHelp("Decoded pictures kept in memory: bytes, or 512M, 2G. (default: 1G)", valueName: "size"))
    var cacheMemory: String?

    @Flag(help: "Stop at the first picture that cannot be read.")
    var strict = false

    func fill(_ options: inout RunOptions) throws {
        options.checkpointEvery = checkpointEvery
        options.keep = keep
        options.logEvery = logEvery
        options.cacheMemory = try cacheMemory.map { try Self.bytes($0) }
        options.isStrict = strict
    }

    static func bytes(_ text: String) throws -> Int {
        let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
        let unit = text.last.flatMap { units[Character($0.uppercased())] }
        if let number = Int(unit == nil ? text : String(text.dropLast())), number >= 0 {
            let (bytes, overflow) = number.multipliedReportingOverflow(by: unit ?? 1)
            if !overflow { return bytes }
        }
        throw CommandFailure(.usage, "--cache-memory takes a number of bytes or such as 512M or 2G, not \(text)")
    }
}

/// One number for a square, or HEIGHTxWIDTH.
struct Sides: ExpressibleByArgument {
    let extent: Size

    init?(argument: String) {
        let sides = argument.lowercased().split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        switch sides.count {
        case 1: extent = Size(square: sides[0] ?? -1)
        case 2: extent = Size(height: sides[0] ?? -1, width: sides[1] ?? -1)
        default: return nil
        }
        if extent.height < 1 || extent.width < 1 { return nil }
    }
}

extension Architecture: ExpressibleByArgument {}
extension RunSettings.Augment: ExpressibleByArgument {}
extension RunSettings.Fit: ExpressibleByArgument {}

enum FitHelp {
    static let text: ArgumentHelp =
        "Of a whole picture, crop: the square in its middle; squash: all of it, whatever becomes of its proportions. (default: as --init, else crop)"
}
