import Models
import Support

extension RunSettings {
    /// A whole number that an option takes, and the least of them.
    typealias Bound = (name: String, value: Int, least: Int)

    /// Refuses numbers that make no sense on their own; `others` are those of the kind of run.
    func checkValues(_ others: [Bound] = []) throws(TrainingError) {
        let sizes: [Bound] = [
            ("--width", width, 4), ("--depth", depth, 1), ("--heads", heads, 1), ("--batch-size", batchSize, 1),
            ("--accumulate", accumulate, 1), ("--image-size", min(imageSize.height, imageSize.width), 1),
            ("--patch-size", min(patchSize.height, patchSize.width), 1),
        ]
        let counts: [Bound] = [
            ("--keep", keep, 0), ("--log-every", logEvery, 1), ("--cache-memory", cacheMemory, 0),
            ("--checkpoint-every", checkpointEvery, 0),
        ]
        for (name, value, least) in sizes + others + counts where value < least {
            throw TrainingError(.usage, "\(name) takes a whole number from \(least) up, not \(value)")
        }
        let largest = 1 << 20
        for (name, value, _) in sizes + others where value > largest {
            throw TrainingError(.usage, "\(name) takes a number up to \(largest), not \(value)")
        }
        guard (1...4).contains(channels) else {
            throw TrainingError(.usage, "--channels takes a number from 1 to 4, not \(channels)")
        }
        let rates = [
            ("--blr", baseRate), ("--lr", rate), ("--min-lr", minimumRate), ("--weight-decay", weightDecay),
            ("--clip", clip),
        ]
        for (name, value) in rates where !(value.isFinite && value >= 0) {
            throw TrainingError(.usage, "\(name) takes a number from 0 up, not \(value)")
        }
        guard averageDecay >= 0, averageDecay < 1 else {
            throw TrainingError(.usage, "--ema takes a decay from 0 up and below 1, such as 0.999, not \(averageDecay)")
        }
    }

    /// Refuses numbers that do not go together.
    func check() throws(TrainingError) {
        try Self.check(width: width, heads: heads)
        guard imageSize.height % patchSize.height == 0, imageSize.width % patchSize.width == 0 else {
            throw TrainingError(
                .usage,
                "--image-size \(imageSize.text) cannot be cut into patches of \(patchSize.text); expected a multiple of "
                    + "the patch")
        }
        let patchCount = encoder.patchCount
        guard patchCount <= 1 << 16 else {
            throw TrainingError(.usage, "\(patchCount) patches an image are too many; expected a larger --patch-size")
        }
        guard steps > 0 else {
            throw TrainingError(.usage, "--epochs or --steps make a run without a single step; expected more")
        }
        guard checkpointEvery > 0 else {
            throw TrainingError(.usage, "--checkpoint-every takes a number of steps from 1 up, not \(checkpointEvery)")
        }
    }

    /// Refuses a width that heads or positions cannot share; `part` begins the options' names.
    static func check(_ part: String = "", width: Int, heads: Int) throws(TrainingError) {
        guard width % heads == 0 else {
            throw TrainingError(.usage, "--\(part)width is \(width), which --\(part)heads \(heads) does not divide")
        }
        guard width % 4 == 0 else {
            throw TrainingError(.usage, "--\(part)width is \(width); the positions need a multiple of 4")
        }
    }
}

extension Size {
    /// One number for a square, else height × width.
    var text: String { height == width ? "\(height)" : "\(height)x\(width)" }
}
